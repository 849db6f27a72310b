package params

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
)

var gift = Schema{
	"amount": Int().Required(), "currency": Text(), "mode": OneOf("once", "month"), "agreed": Bool(), "note": TextUpTo(5).Clearable(),
	"metadata": Metadata(), "created": Range(), "tags": List(Text(), 2),
	"lines": List(Group(Schema{"price": Text().Required(), "quantity": Int()}), 3),
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query       string
		want        Values // nil for a fault
		param, code string // of the fault
	}{
		"plain":                 {"amount=5&currency=eur&agreed=true", Values{"amount": int64(5), "currency": "eur", "agreed": true}, "", ""},
		"groups in a list":      {"amount=5&lines[0][price]=a&lines[1][price]=b&lines[1][quantity]=2", Values{"amount": int64(5), "lines": []any{Values{"price": "a"}, Values{"price": "b", "quantity": int64(2)}}}, "", ""},
		"order of indexes":      {"amount=5&tags[10]=b&tags[9]=a", Values{"amount": int64(5), "tags": []any{"a", "b"}}, "", ""},
		"list without indexes":  {"amount=5&tags[]=a&tags[]=b", Values{"amount": int64(5), "tags": []any{"a", "b"}}, "", ""},
		"cleared":               {"amount=5&note=", Values{"amount": int64(5), "note": nil}, "", ""},
		"metadata":              {"amount=5&metadata[a]=1&metadata[b]=", Values{"amount": int64(5), "metadata": Values{"a": "1", "b": ""}}, "", ""},
		"a time":                {"amount=5&created=7", Values{"amount": int64(5), "created": int64(7)}, "", ""},
		"bounds":                {"amount=5&created[gte]=7", Values{"amount": int64(5), "created": Values{"gte": int64(7)}}, "", ""},
		"missing":               {"", nil, "amount", "parameter_missing"},
		"missing inside":        {"amount=5&lines[0][quantity]=1", nil, "lines[0][price]", "parameter_missing"},
		"unknown":               {"amount=5&frob=1", nil, "frob", "parameter_unknown"},
		"unknown inside":        {"amount=5&lines[0][frob]=1", nil, "lines[0][frob]", "parameter_unknown"},
		"unknown bound":         {"amount=5&created[after]=1", nil, "created[after]", "parameter_unknown"},
		"no number":             {"amount=5.0", nil, "amount", "parameter_invalid_integer"},
		"number too large":      {"amount=9223372036854775808", nil, "amount", "parameter_invalid_integer"},
		"no flag":               {"amount=5&agreed=yes", nil, "agreed", ""},
		"no such word":          {"amount=5&mode=year", nil, "mode", ""},
		"too long":              {"amount=5&note=123456", nil, "note", ""},
		"five letters are five": {"amount=5&note=%D0%BF%D1%80%D0%B8%D0%B2%D1%96", Values{"amount": int64(5), "note": "приві"}, "", ""},
		"not UTF-8":             {"amount=5&currency=%FF", nil, "currency", ""},
		"empty":                 {"amount=5&currency=", nil, "currency", "parameter_invalid_empty"},
		"too many items":        {"amount=5&tags[]=a&tags[]=b&tags[]=c", nil, "tags", ""},
		"an index of letters":   {"amount=5&tags[a]=a", nil, "tags", ""},
		"a text for a list":     {"amount=5&tags=a", nil, "tags", ""},
		"a group for a text":    {"amount=5&currency[a]=b", nil, "currency", ""},
		"value and group":       {"amount=5&lines=a&lines[0][price]=b", nil, "lines[0][price]", ""},
		"bracket left open":     {"amount=5&lines[0=a", nil, "lines[0", "parameter_unknown"},
		"bracket alone":         {"amount=5&[a]=b", nil, "[a]", "parameter_unknown"},
		"nested without end":    {"amount=5&lines" + strings.Repeat("[0]", 50) + "=a", nil, "lines" + strings.Repeat("[0]", 50), "parameter_unknown"},
		"nested metadata":       {"amount=5&metadata[a][b]=1", nil, "metadata[a]", ""},
		"metadata key of 41":    {"amount=5&metadata[" + strings.Repeat("k", 41) + "]=1", nil, "metadata[" + strings.Repeat("k", 41) + "]", ""},
		"metadata value of 501": {"amount=5&metadata[a]=" + strings.Repeat("v", 501), nil, "metadata[a]", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got, fault := gift.Check(form)
			switch {
			case fault == nil && tt.want == nil:
				t.Errorf("took %v", got)
			case fault == nil && !reflect.DeepEqual(got, tt.want):
				t.Errorf("read %v, want %v", got, tt.want)
			case fault != nil && (tt.want != nil || fault.Param != tt.param || fault.Code != tt.code || fault.Message == ""):
				t.Errorf("refused %+v, want param %q, code %q", fault, tt.param, tt.code)
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	for _, query := range []string{"amount=1&lines[0][price]=a", "a[]=1&a[]=2", "a[b]=1&a=2", "[]=&a[[b]]=", "created[gte]=1&metadata[x]=y"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		if values, fault := gift.Check(form); fault == nil && !values.Has("amount") {
			t.Errorf("took %q without its required parameter", query)
		}
	})
}
