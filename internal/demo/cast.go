package demo

// A country is where somebody gives from.
type country struct {
	code, currency, lang string
	europe               bool // cards of the European Economic Area cost less
}

// countries are weighted by how many readers give from there.
var countries = []weighted[country]{
	{country{"US", "USD", "en", false}, 26}, {country{"GB", "GBP", "en", false}, 15}, {country{"DE", "EUR", "de", true}, 14},
	{country{"UA", "UAH", "uk", false}, 9}, {country{"CA", "CAD", "en", false}, 7}, {country{"PL", "PLN", "pl", true}, 6},
	{country{"FR", "EUR", "fr", true}, 5}, {country{"NL", "EUR", "en", true}, 4}, {country{"IT", "EUR", "it", true}, 3},
	{country{"ES", "EUR", "es", true}, 3}, {country{"AU", "AUD", "en", false}, 3}, {country{"CH", "CHF", "de", false}, 2},
	{country{"SE", "SEK", "en", true}, 2}, {country{"NO", "NOK", "en", true}, 2}, {country{"CZ", "CZK", "en", true}, 2},
	{country{"IE", "EUR", "en", true}, 2}, {country{"AT", "EUR", "de", true}, 2}, {country{"JP", "JPY", "en", false}, 1},
	{country{"DK", "DKK", "en", true}, 1}, {country{"EE", "EUR", "en", true}, 1},
}

// rates are euro cents for a million minor units, as they were about the middle
// of the story.
var rates = map[string]int64{
	"EUR": 1_000_000, "USD": 918_400, "GBP": 1_168_300, "UAH": 22_300, "CAD": 671_900, "PLN": 232_500, "AUD": 604_200,
	"CHF": 1_058_700, "SEK": 87_600, "NOK": 85_900, "CZK": 39_800, "JPY": 610_500, "DKK": 134_000,
}

// A person may give again.
type person struct {
	country
	name, email string
	customer    string // at Stripe; "" until they join
}

// given and family are names by language. Nobody is called so: each family
// name means "example" or the like.
var (
	given = map[string][]string{
		"en": {"Alice", "Ben", "Clara", "Daniel", "Erin", "Frank", "Grace", "Henry", "Isla", "Jack", "Laura", "Martin", "Nora", "Owen", "Rachel", "Sam"},
		"uk": {"Olena", "Taras", "Iryna", "Andrii", "Nadiia", "Petro", "Yuliia", "Bohdan", "Sofiia", "Maksym"},
		"de": {"Anna", "Jonas", "Lena", "Felix", "Greta", "Moritz", "Ida", "Emil", "Hannah", "Paul"},
		"fr": {"Claire", "Louis", "Manon", "Hugo", "Inès", "Jules", "Camille", "Théo"},
		"es": {"Lucía", "Mateo", "Carmen", "Diego", "Elena", "Pablo"},
		"it": {"Giulia", "Marco", "Chiara", "Luca", "Elisa", "Paolo"},
		"pl": {"Zofia", "Jakub", "Maja", "Kacper", "Hanna", "Piotr", "Alicja", "Tomasz"},
	}
	family = map[string][]string{
		"en": {"Sample", "Example", "Specimen", "Placeholder", "Instance"}, "uk": {"Pryklad", "Zrazok"},
		"de": {"Muster", "Beispiel", "Mustermann"}, "fr": {"Exemple", "Modèle"}, "es": {"Ejemplo", "Muestra"},
		"it": {"Esempio", "Campione"}, "pl": {"Przykład", "Wzór"},
	}
)

// A method is how somebody pays.
type method string

// methods by what is usual; a bank debit takes days.
var (
	cards    = []weighted[method]{{"card", 88}, {"link", 7}, {"paypal", 5}}
	inEurope = []weighted[method]{{"card", 72}, {"sepa_debit", 13}, {"paypal", 8}, {"link", 4}, {"ideal", 3}}
	renewing = []weighted[method]{{"card", 90}, {"sepa_debit", 10}}
)
