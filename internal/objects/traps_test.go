package objects

import "testing"

// traps are texts that registers are read from, or not: want is how such a
// register is stored, and "" where it is refused.
var traps = map[string]struct {
	kind       Kind
	text, want string
}{
	"nothing":                       {KindCharge, ``, ``},
	"an empty one":                  {KindCharge, `{}`, `{}`},
	"null":                          {KindCharge, `null`, `{}`},
	"space around":                  {KindCharge, " {\n} \t", `{}`},
	"space within":                  {KindCharge, `{ "created" : 5 , "intent" : "a" }`, `{"created":5,"intent":"a"}`},
	"a list":                        {KindCharge, `[]`, ``},
	"a text":                        {KindCharge, `"created"`, ``},
	"cut off":                       {KindCharge, `{"created":5`, ``},
	"cut off in a name":             {KindCharge, `{"crea`, ``},
	"more behind":                   {KindCharge, `{}{}`, ``},
	"a brace behind":                {KindCharge, `{}}`, ``},
	"a comma behind":                {KindCharge, `{},`, ``},
	"a comma too many":              {KindCharge, `{"created":5,}`, ``},
	"no comma":                      {KindCharge, `{"created":5"intent":"a"}`, ``},
	"a colon for a comma":           {KindCharge, `{"created":5:"intent":"a"}`, ``},
	"a name that is none":           {KindCharge, `{created:5}`, ``},
	"null for a name":               {KindCharge, `{null:5}`, ``},
	"another order":                 {KindCharge, `{"intent":"a","created":5}`, `{"created":5,"intent":"a"}`},
	"another order inside":          {KindCharge, `{"payer":{"value":{"name":"b","email":"a"},"at":5}}`, `{"payer":{"at":5,"value":{"email":"a","name":"b"}}}`},
	"an unknown name":               {KindCharge, `{"created":5,"newer":{"a":[1,{}]},"intent":"a"}`, `{"created":5,"intent":"a"}`},
	"an unknown name first":         {KindCharge, `{"newer":null,"created":5}`, `{"created":5}`},
	"an unknown name last":          {KindCharge, `{"created":5,"newer":"a"}`, `{"created":5}`},
	"an unknown name inside":        {KindCharge, `{"payer":{"at":5,"newer":[],"value":{"newer":1,"email":"a"}}}`, `{"payer":{"at":5,"value":{"email":"a"}}}`},
	"an empty name":                 {KindCharge, `{"":5,"created":5}`, `{"created":5}`},
	"a name in other letters":       {KindCharge, `{"Created":5}`, `{}`},
	"a name with an escape":         {KindCharge, `{"\u0063reated":5,"intent":"a"}`, `{"created":5,"intent":"a"}`},
	"a doubled name":                {KindCharge, `{"created":5,"created":5}`, ``},
	"doubled later":                 {KindCharge, `{"created":5,"intent":"a","created":5}`, ``},
	"doubled with an escape":        {KindCharge, `{"created":5,"\u0063reated":5}`, ``},
	"doubled in another order":      {KindCharge, `{"intent":"a","created":5,"intent":"a"}`, ``},
	"doubled inside":                {KindCharge, `{"payer":{"at":5,"at":5,"value":{}}}`, ``},
	"an unknown name doubled":       {KindCharge, `{"newer":1,"newer":1}`, ``},
	"doubled in what is unknown":    {KindCharge, `{"newer":{"a":1,"a":1}}`, ``},
	"an object doubled, once null":  {KindCharge, `{"payer":{"at":5,"value":{}},"payer":null}`, ``},
	"null everywhere":               {KindCharge, `{"created":null,"intent":null,"disputed":null,"metadata":null,"payer":{"final":null,"at":null,"by":null,"value":null}}`, `{}`},
	"null metadata":                 {KindCharge, `{"metadata":{"at":5,"value":null}}`, `{"metadata":{"at":5,"value":{}}}`},
	"empty metadata":                {KindCharge, `{"metadata":{"value":{}}}`, `{"metadata":{"value":{}}}`},
	"metadata in another order":     {KindCharge, `{"metadata":{"value":{"b":"1","a":null,"\u0061b":"\n"}}}`, `{"metadata":{"value":{"a":"","ab":"\n","b":"1"}}}`},
	"a word doubled":                {KindCharge, `{"metadata":{"value":{"a":"1","a":"1"}}}`, ``},
	"a word doubled with an escape": {KindCharge, `{"metadata":{"value":{"a":"1","\u0061":"1"}}}`, ``},
	"a word that is a number":       {KindCharge, `{"metadata":{"value":{"a":1}}}`, ``},
	"metadata that is a list":       {KindCharge, `{"metadata":{"value":[]}}`, ``},
	"a text for a number":           {KindCharge, `{"created":"5"}`, ``},
	"truth for a number":            {KindCharge, `{"created":true}`, ``},
	"a fraction":                    {KindCharge, `{"created":5.0}`, ``},
	"an exponent":                   {KindCharge, `{"created":5e0}`, ``},
	"a number below zero":           {KindCharge, `{"created":-5}`, `{"created":-5}`},
	"zero below zero":               {KindCharge, `{"created":-0}`, `{}`},
	"a zero in front":               {KindCharge, `{"created":05}`, ``},
	"a plus in front":               {KindCharge, `{"created":+5}`, ``},
	"the greatest number":           {KindCharge, `{"created":9223372036854775807}`, `{"created":9223372036854775807}`},
	"a greater number":              {KindCharge, `{"created":9223372036854775808}`, ``},
	"the smallest number":           {KindCharge, `{"created":-9223372036854775808}`, `{"created":-9223372036854775808}`},
	"a smaller number":              {KindCharge, `{"created":-9223372036854775809}`, ``},
	"a by of eight bits":            {KindCharge, `{"payer":{"by":-128,"value":{}}}`, `{"payer":{"by":-128,"value":{}}}`},
	"a by of more bits":             {KindCharge, `{"payer":{"by":128,"value":{}}}`, ``},
	"a number for a text":           {KindCharge, `{"intent":5}`, ``},
	"an object for a text":          {KindCharge, `{"intent":{}}`, ``},
	"no UTF-8":                      {KindCharge, "{\"intent\":\"\xff\"}", ``},
	"a lone surrogate":              {KindCharge, `{"intent":"\ud800"}`, ``},
	"escapes":                       {KindCharge, `{"intent":"\u0041\/\ud83d\ude00\n"}`, `{"intent":"A/😀\n"}`},
	"a bare control character":      {KindCharge, "{\"intent\":\"\n\"}", ``},
	"a text for truth":              {KindCharge, `{"disputed":"true"}`, ``},
	"false":                         {KindCharge, `{"disputed":false}`, `{}`},
	"half of true":                  {KindCharge, `{"disputed":tru}`, ``},
	"a text for an object":          {KindCharge, `{"payer":"a"}`, ``},
	"a value without a time":        {KindCharge, `{"payer":{"value":{"email":"a"}}}`, `{"payer":{"value":{"email":"a"}}}`},
	"a time without a value":        {KindCharge, `{"payer":{"at":5}}`, `{"payer":{"at":5,"value":{}}}`},
	"what is not kept":              {KindCharge, `{"Asked":5,"asked":5}`, `{}`},
	"a set":                         {KindDispute, `{"transactions":{"b":true,"a":false,"c":null}}`, `{"transactions":{"a":false,"b":true,"c":false}}`},
	"an empty set":                  {KindDispute, `{"transactions":{}}`, `{"transactions":{}}`},
	"no set":                        {KindDispute, `{"transactions":null}`, `{}`},
	"a set with a member twice":     {KindDispute, `{"transactions":{"a":true,"a":true}}`, ``},
	"a set of numbers":              {KindDispute, `{"transactions":{"a":1}}`, ``},
	"truth with a time":             {KindWarning, `{"actionable":{"at":5,"value":false}}`, `{"actionable":{"at":5,"value":false}}`},
	"an empty correction":           {KindCorrection, `{}`, `{"object":""}`},
	"an empty import":               {KindOffline, `{"gift":{"value":{"received":0,"won":{}}}}`, `{}`},
	"an import":                     {KindOffline, `{"gift":{"at":5,"value":{"won":{"article":"a"}}}}`, `{"gift":{"at":5,"value":{"received":0,"currency":"","amount":0,"won":{"article":"a"}}}}`},
}

func TestTrapsInRegisters(t *testing.T) {
	t.Parallel()
	for name, tt := range traps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			readAsTagged(t, tt.kind, tt.text)
			r, err := DecodeRegister(tt.kind, tt.text)
			switch {
			case tt.want == "" && err == nil:
				t.Errorf("%s is read as %s", tt.text, Encode(r))
			case tt.want != "" && (err != nil || Encode(r) != tt.want):
				t.Errorf("%s is read as %+v, %v, want %s", tt.text, r, err, tt.want)
			}
		})
	}
}
