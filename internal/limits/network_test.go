package limits

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestNetwork(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"203.0.113.77":             "203.0.113.0/24",
		"::ffff:203.0.113.77":      "203.0.113.0/24", // the same caller on a socket for both
		"2001:db8:1:2:aaaa::1":     "2001:db8:1:2::/64",
		"2001:db8:1:2:bbbb::2":     "2001:db8:1:2::/64",
		"fe80::1%eth0":             "fe80::/64",
		"2001:db8:1:3::1":          "2001:db8:1:3::/64",
		"127.0.0.1":                "127.0.0.0/24",
		"::1":                      "::/64",
		"255.255.255.255":          "255.255.255.0/24",
		"::ffff:203.0.113.77%eth0": "203.0.113.0/24",
	} {
		if got := Network(netip.MustParseAddr(address)); got != want {
			t.Errorf("Network(%s) = %s, want %s", address, got, want)
		}
	}
	if got := Network(netip.Addr{}); got != "unknown" {
		t.Errorf("Network of no address = %q, want unknown", got)
	}
}

func TestClientIP(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:f::/48")}
	tests := map[string]struct {
		peer    string
		headers []string
		trusted []netip.Prefix
		want    string
	}{
		"nobody is trusted by default":       {"10.0.0.1:80", []string{"198.51.100.7"}, nil, "10.0.0.1"},
		"a peer that is no proxy":            {"203.0.113.9:80", []string{"198.51.100.7"}, proxies, "203.0.113.9"},
		"one proxy":                          {"10.0.0.1:80", []string{"198.51.100.7"}, proxies, "198.51.100.7"},
		"what the client wrote itself":       {"10.0.0.1:80", []string{"1.2.3.4, 198.51.100.7"}, proxies, "198.51.100.7"},
		"a client that pretends to be proxy": {"10.0.0.1:80", []string{"1.2.3.4, 10.9.9.9, 198.51.100.7"}, proxies, "198.51.100.7"},
		"two proxies":                        {"10.0.0.1:80", []string{"198.51.100.7, 10.0.0.2"}, proxies, "198.51.100.7"},
		"two headers":                        {"10.0.0.1:80", []string{"1.2.3.4", "198.51.100.7"}, proxies, "198.51.100.7"},
		"all are proxies":                    {"10.0.0.1:80", []string{"10.0.0.3, 10.0.0.2"}, proxies, "10.0.0.3"},
		"no header":                          {"10.0.0.1:80", nil, proxies, "10.0.0.1"},
		"an empty header":                    {"10.0.0.1:80", []string{""}, proxies, "10.0.0.1"},
		"an entry that is no address":        {"10.0.0.1:80", []string{"198.51.100.7, <script>, 10.0.0.2"}, proxies, "10.0.0.2"},
		"an entry with a port":               {"10.0.0.1:80", []string{"198.51.100.7:4711"}, proxies, "198.51.100.7"},
		"IPv6 in brackets":                   {"[2001:db8:f::1]:80", []string{"[2001:db8::7]:4711"}, proxies, "2001:db8::7"},
		"IPv6 plain":                         {"[2001:db8:f::1]:80", []string{"2001:db8::7"}, proxies, "2001:db8::7"},
		"a proxy seen as IPv4 in IPv6":       {"[::ffff:10.0.0.1]:80", []string{"198.51.100.7"}, proxies, "198.51.100.7"},
		"a peer that is no address":          {"@", []string{"198.51.100.7"}, proxies, "invalid IP"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-For": tt.headers}}
			if got := ClientIP(r, tt.trusted).String(); got != tt.want {
				t.Errorf("ClientIP = %s, want %s", got, tt.want)
			}
		})
	}
}
