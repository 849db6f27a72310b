package objects

import (
	"maps"
	"slices"
	"testing"
)

// stored are registers of the kinds that there is most of, as they are kept.
var stored = map[Kind]string{
	KindCharge:       `{"created":1760000000,"intent":"pi_3OqBench00000001","customer":"cus_PcBench0000001","transaction":"txn_3OqBench00000001","currency":"eur","status":"succeeded","captured":1500,"metadata":{"at":1760000003,"by":3,"value":{"article":"uk-defense-secretary-troops","attribution":"signed","campaign":"winter","checkout":"chk_0123456789abcdef","locale":"en","placement":"mid","support_v":"1","tier":"15","utm_source":"newsletter","variant":"a"}},"payer":{"at":1760000003,"by":3,"value":{"email":"olena@example.org","name":"Олена Коваль","country":"UA","card_country":"UA","method":"card"}},"outcome":{"at":1760000003,"by":3,"value":{}}}`,
	KindTransaction:  `{"created":1760000000,"source":"ch_3OqBench00000001","type":"charge","currency":"eur","amount":1500,"fee":48,"net":1452,"available":1760400000,"payout":"po_1OqBench00000001"}`,
	KindSubscription: `{"created":1760000000,"customer":"cus_PcBench0000001","metadata":{"at":1760000003,"by":3,"value":{"article":"uk-defense-secretary-troops","placement":"mid","support_v":"1"}},"state":{"at":1770000003,"by":3,"value":{"status":"active","period_end":1772592003,"currency":"eur","amount":1500,"interval":"month"}},"history":"20370 live 1500 eur month 1760000003 3 1760000009 3\n20401 live 1500 eur month 1762678403 3 1762678403 3"}`,
}

func BenchmarkEncode(b *testing.B) {
	for _, kind := range slices.Sorted(maps.Keys(stored)) {
		r, err := DecodeRegister(kind, stored[kind])
		if err != nil || Encode(r) != stored[kind] {
			b.Fatalf("%s: %s, %v", kind, Encode(r), err)
		}
		b.Run(string(kind), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Encode(r)
			}
		})
	}
}

func BenchmarkDecodeRegister(b *testing.B) {
	for _, kind := range slices.Sorted(maps.Keys(stored)) {
		b.Run(string(kind), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := DecodeRegister(kind, stored[kind]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkJoin joins a charge with what it knows.
func BenchmarkJoin(b *testing.B) {
	r, err := DecodeRegister(KindCharge, stored[KindCharge])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Join(r)
	}
}
