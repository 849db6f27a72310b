package demo

import (
	"math"
	"time"

	"github.com/united24media/support/internal/store"
)

// An outlet of readers: an article, and how many it draws.
type article struct {
	Article
	pull float64 // of an ordinary article on its first day, 1
	slow bool    // it is read for years: an explainer, not the news of a day
}

// titles are the articles in the order they come out. Their events are invented.
var titles = []struct {
	slug, title string
	pull        float64
	slow        bool
}{
	{"inside-the-workshop-that-repairs-drones", "Inside the Workshop That Repairs Forty Drones a Night", 1.4, false},
	{"what-a-night-of-air-defense-costs", "What One Night of Air Defense Costs, Item by Item", 2.1, true},
	{"the-train-that-never-stopped-running", "The Train That Never Stopped Running to the Front", 1.8, false},
	{"teachers-of-the-underground-school", "Teachers of the School Thirty Meters Under Kharkiv", 1.6, false},
	{"how-sea-drones-changed-the-black-sea", "How Sea Drones Changed the Black Sea", 2.6, true},
	{"a-surgeon-counts-the-hours", "A Surgeon in Dnipro Counts the Hours, Not the Patients", 1.1, false},
	{"mines-under-the-sunflowers", "Mines Under the Sunflowers: Who Clears the Fields", 1.5, true},
	{"letters-from-captivity", "Letters From Captivity", 1.9, false},
	{"the-grid-engineers-of-winter", "The Engineers Who Keep the Lights On in Winter", 2.2, false},
	{"explained-glide-bombs", "Explained: Glide Bombs and What Stops Them", 2.4, true},
	{"the-last-bakery-in-kupiansk", "The Last Bakery in Kupiansk", 1.3, false},
	{"odesa-port-after-the-strike", "Odesa's Port, the Morning After the Strike", 1.7, false},
	{"children-taken-and-found", "Taken and Found: The Search for Ukraine's Children", 2.9, true},
	{"prosthetics-made-in-lviv", "The Hand That Was Printed in Lviv", 1.2, false},
	{"how-we-verify-a-strike", "How We Verify a Strike in Six Hours", 1.6, true},
	{"a-village-between-two-lines", "A Village Between Two Lines", 1.1, false},
	{"the-women-of-the-sniper-school", "The Women of the Sniper School", 2.0, false},
	{"sanctions-and-the-chips-in-missiles", "Sanctions, and the Chips Still Found in Missiles", 2.5, true},
	{"rebuilding-irpin-bridge", "Rebuilding the Bridge at Irpin", .9, false},
	{"zaporizhzhia-plant-what-could-happen", "Zaporizhzhia's Plant: What Could Happen, and What Could Not", 2.3, true},
	{"the-choir-of-the-metro", "The Choir That Sings in the Metro", 1.0, false},
	{"artillery-in-numbers", "Artillery in Numbers: Shells, Barrels, Days", 1.8, true},
	{"chasiv-yar-from-above", "Chasiv Yar From Above", 1.4, false},
	{"the-vet-who-stayed", "The Vet Who Stayed in Kramatorsk", 1.2, false},
	{"how-interceptor-drones-work", "How Interceptor Drones Work", 2.8, true},
	{"black-sea-grain-one-ship", "One Ship of Grain, From Field to Port", 1.0, false},
	{"night-shift-at-the-substation", "Night Shift at the Substation", 1.5, false},
	{"the-archive-of-destroyed-houses", "The Archive of Destroyed Houses", .9, false},
	{"a-year-in-the-life-of-a-medic", "A Year in the Life of a Frontline Medic", 2.4, false},
	{"north-korean-shells-in-donbas", "What North Korean Shells Do to Their Own Guns", 2.2, false},
	{"the-reindeer-herder-at-the-front", "The Herder Who Came Home to Fight", .8, false},
	{"electronic-warfare-for-beginners", "Electronic Warfare for Beginners", 2.0, true},
	{"pokrovsk-the-road-out", "Pokrovsk: The Road Out", 2.1, false},
	{"ukraines-missile-makers", "Ukraine's Missile Makers Speak for the First Time", 2.7, false},
	{"the-clock-tower-of-izium", "The Clock Tower of Izium", .9, false},
	{"how-long-can-russia-pay", "How Long Can Russia Pay for This War?", 3.0, true},
	{"the-volunteers-who-drive-at-night", "The Volunteers Who Drive Only at Night", 1.3, false},
	{"peace-talks-what-each-side-wants", "Peace Talks: What Each Side Wants, in Plain Words", 2.6, true},
	{"inside-a-fiber-optic-drone-team", "Inside a Fiber-Optic Drone Team", 2.3, false},
	{"kherson-under-the-drones", "Kherson Under the Drones", 1.7, false},
	{"return-of-the-prisoners", "The Return of the Prisoners", 2.4, false},
	{"europe-counts-its-air-defenses", "Europe Counts Its Air Defenses", 1.9, false},
	{"a-hospital-moves-underground", "A Hospital Moves Underground", 1.4, false},
	{"the-price-of-a-kilometer", "The Price of a Kilometer", 2.2, true},
	{"winter-attack-on-the-gas-fields", "The Winter Attack on the Gas Fields", 2.0, false},
	{"the-photographer-of-azovstal", "What the Photographer of Azovstal Saw", 1.8, false},
	{"robots-that-carry-the-wounded", "Robots That Carry the Wounded", 2.1, false},
	{"uk-defense-secretary-troops", "UK Defense Secretary Sets Out Conditions for Sending Troops to Ukraine", 2.7, false},
	{"first-snow-on-the-line", "First Snow on the Line", 1.6, false},
}

// publish gives each article its day: the last are out a day or two.
func (t *teller) publish() {
	span := t.end.Sub(t.begin)
	for i, a := range titles {
		at := t.begin.Add(span * time.Duration(i) / time.Duration(len(titles)))
		at = at.Truncate(24 * time.Hour).Add(time.Duration(t.between(6*60, 15*60)) * time.Minute)
		switch len(titles) - i {
		case 1:
			at = t.end.Add(-30 * time.Hour)
		case 2:
			at = t.end.Add(-4 * 24 * time.Hour)
		}
		t.articles = append(t.articles, article{Article{a.slug, a.title, at.Truncate(time.Minute)}, a.pull, a.slow})
	}
}

// interest is how many readers an article draws on a day, of an ordinary one
// on its first day.
func (a *article) interest(day time.Time) float64 {
	age := day.Sub(a.Published).Hours() / 24
	if age < -1 {
		return 0
	}
	fresh := math.Exp(-max(age, 0) / 5)
	if a.slow {
		fresh += .11 * math.Exp(-max(age, 0)/400)
	} else if age < 240 {
		fresh += .02
	}
	return a.pull * fresh
}

// A Campaign is what asks raised for on some days.
type Campaign struct {
	store.Campaign
	Titles, Leads map[string]string // of its page, by language
	From, Until   time.Time         // the first day, and the one after the last
}

// campaigns are what asks raised for, on the days of the story.
func (t *teller) campaigns() []Campaign {
	all := []Campaign{
		{
			Campaign: store.Campaign{Slug: "generators-for-reporters", Name: "Generators for our reporters", GoalKind: store.GoalMoney, Goal: 4_000_000, GoalCurrency: "EUR"},
			Titles:   map[string]string{"en": "Generators for our reporters", "uk": "Генератори для наших репортерів"},
			Leads: map[string]string{
				"en": "When the power is cut, a story waits. A generator keeps a camera, a phone and a link alive for a night.",
				"uk": "Коли зникає світло, історія чекає. Генератор живить камеру, телефон і зв’язок цілу ніч.",
			},
		},
		{
			Campaign: store.Campaign{Slug: "frontline-winter", Name: "A winter on the front line", GoalKind: store.GoalMoney, Goal: 4_000_000, GoalCurrency: "EUR"},
			Titles:   map[string]string{"en": "Keep a reporter on the front line this winter"},
			Leads:    map[string]string{"en": "Fuel, warm clothes, insurance and a driver who knows the roads: what one winter of reporting takes."},
		},
		{Campaign: store.Campaign{Slug: "a-thousand-members", Name: "A thousand members", GoalKind: store.GoalSupporters, Goal: 1000}},
	}
	for day := t.begin; !day.After(t.end); day = day.AddDate(0, 0, 1) {
		for i := range all {
			if c := &all[i]; t.campaign(day) == c.Slug {
				if c.From.IsZero() {
					c.From = day
				}
				c.Until = day.AddDate(0, 0, 1)
			}
		}
	}
	for i := range all { // one that still runs goes on to the end of its season
		for c := &all[i]; t.campaign(c.Until) == c.Slug; {
			c.Until = c.Until.AddDate(0, 0, 1)
		}
	}
	return all
}

// campaign returns what asks raise for on a day, or "".
func (t *teller) campaign(day time.Time) string {
	switch {
	case day.Month() == time.November || day.Month() == time.December:
		if t.end.Sub(day) > 400*24*time.Hour {
			return "generators-for-reporters"
		}
		return "frontline-winter"
	case day.Month() >= time.April && day.Month() <= time.June && t.end.Sub(day) < 400*24*time.Hour:
		return "a-thousand-members"
	}
	return ""
}
