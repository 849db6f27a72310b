package privacy

import (
	"encoding/json"
	"time"

	"github.com/united24media/support/internal/giving"
)

// A Record is everything that is kept about one person, as they may ask to
// have it (GDPR, art. 15 and 20). Amounts are in minor units, and lists are
// ordered by time. Members of staff are not named: what they did is the
// person's to know, who they are is not.
type Record struct {
	MadeAt      time.Time    `json:"made_at"`
	Addresses   []string     `json:"email_addresses"`
	Names       []string     `json:"names"`
	Countries   []string     `json:"countries"`
	Donations   []Donation   `json:"donations"`
	Refunds     []Refund     `json:"refunds"`
	Disputes    []Refund     `json:"disputes"`
	Memberships []Membership `json:"memberships"`
	Checkouts   []Checkout   `json:"checkouts"`
	Mails       []Mail       `json:"mails"`
	SignIns     []SignIn     `json:"sign_ins"`
	Sessions    []Session    `json:"sessions"`
	Choices     *Choices     `json:"choices"` // nil where none were made
	Acts        []Act        `json:"acts"`
	Objects     []Object     `json:"objects"`
	Events      []Event      `json:"events"`
	Answers     []Answer     `json:"answers"`
}

// A Donation is one gift.
type Donation struct {
	ID       string    `json:"id"`
	At       time.Time `json:"created_at"`
	Currency string    `json:"currency"`
	Gross    int64     `json:"gross_minor"`
	Refunded int64     `json:"refunded_minor"`
	Disputed int64     `json:"disputed_minor"`
	Interval string    `json:"interval"`
	Method   string    `json:"method"`
	Country  string    `json:"country"`
	Name     string    `json:"name"`
	Email    string    `json:"email"`
	Source   string    `json:"source"`
	Charge   string    `json:"charge"`
	Invoice  string    `json:"invoice"`
	Member   string    `json:"membership"`
	Customer string    `json:"customer"`
	Won
}

// Won is what won a gift or membership, as far as it is known.
type Won struct {
	Checkout    string `json:"checkout"`
	Article     string `json:"article"`
	Placement   string `json:"placement"`
	Campaign    string `json:"campaign"`
	Variant     string `json:"variant"`
	Tier        string `json:"tier"`
	Locale      string `json:"locale"`
	UTMSource   string `json:"utm_source"`
	UTMMedium   string `json:"utm_medium"`
	UTMCampaign string `json:"utm_campaign"`
}

func wonBy(a giving.Attribution) Won {
	return Won{a.Checkout, a.Article, a.Placement, a.Campaign, a.Variant, a.Tier, a.Locale, a.UTMSource, a.UTMMedium, a.UTMCampaign}
}

// A Refund is one refund of a gift, or one dispute.
type Refund struct {
	ID       string    `json:"id"`
	At       time.Time `json:"created_at"`
	Charge   string    `json:"charge"`
	Currency string    `json:"currency"`
	Amount   int64     `json:"amount_minor"`
	Status   string    `json:"status"`
	Reason   string    `json:"reason"`
}

// A Membership is one membership.
type Membership struct {
	ID        string     `json:"id"`
	At        time.Time  `json:"created_at"`
	Ended     *time.Time `json:"ended_at"` // nil while it runs
	PaidUntil time.Time  `json:"period_end"`
	Status    string     `json:"status"`
	Ending    bool       `json:"cancel_at_period_end"`
	Currency  string     `json:"currency"`
	Amount    int64      `json:"amount_minor"`
	Interval  string     `json:"interval"`
	Email     string     `json:"email"`
	Customer  string     `json:"customer"`
	Won
}

// A Checkout is one attempt to give.
type Checkout struct {
	ID          string          `json:"id"`
	At          time.Time       `json:"created_at"`
	Status      string          `json:"status"`
	Currency    string          `json:"currency"`
	Amount      int64           `json:"amount_minor"`
	Interval    string          `json:"interval"`
	Name        string          `json:"name"`
	Anonymous   bool            `json:"anonymous"`
	Message     string          `json:"message"`
	Discreet    bool            `json:"kept_out_of_sight"`
	ReturnURL   string          `json:"return_url"`
	Article     string          `json:"article"`
	Placement   string          `json:"placement"`
	Campaign    string          `json:"campaign"`
	Variant     string          `json:"variant"`
	Tier        string          `json:"tier"`
	Locale      string          `json:"locale"`
	Attribution string          `json:"attribution"`
	UTM         json.RawMessage `json:"utm"`
	Session     string          `json:"session"`
}

// A Mail is one that was sent, or will be.
type Mail struct {
	Kind    string     `json:"kind"`
	About   string     `json:"about"`
	To      string     `json:"to"` // "" once it is forgotten
	Locale  string     `json:"locale"`
	State   string     `json:"state"`
	Queued  time.Time  `json:"queued_at"`
	Done    *time.Time `json:"done_at"`
	Trouble string     `json:"error"`
}

// A SignIn is a wish to sign in.
type SignIn struct {
	At      time.Time  `json:"created_at"`
	Address string     `json:"address"`
	Locale  string     `json:"locale"`
	Return  string     `json:"return_url"`
	Used    *time.Time `json:"used_at"`
}

// A Session is a browser in which the person is signed in.
type Session struct {
	At   time.Time `json:"created_at"`
	Used time.Time `json:"used_at"`
}

// Choices are what the person chose.
type Choices struct {
	Locale    string `json:"locale"`
	Public    bool   `json:"thanked_publicly"`
	Name      string `json:"name"`
	Renewals  bool   `json:"mail_renewals"`
	Statement bool   `json:"mail_statement"`
	Reminders bool   `json:"mail_reminders"`
	Discreet  bool   `json:"kept_out_of_sight"`
}

// Who did an act.
const (
	BySupporter = "supporter"
	ByStaff     = "staff"
)

// An Act is what somebody did about a gift or membership, or wrote about it: a
// note, a refund, a correction, a pause.
type Act struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	What   string    `json:"what"`
	About  string    `json:"about"`
	Reason string    `json:"reason"` // or what a note says
	Detail string    `json:"detail"`
	Came   string    `json:"outcome"`
}

// An Object is what is known of one object at Stripe, or of a fact of ours.
type Object struct {
	Ref   string          `json:"object"`
	Known json.RawMessage `json:"known"`
}

// An Event is a message of Stripe's that is kept, without what it says: that
// is in the objects.
type Event struct {
	ID       string    `json:"id"`
	Type     string    `json:"type"`
	Ref      string    `json:"object"`
	At       time.Time `json:"created_at"`
	Received time.Time `json:"received_at"`
	State    string    `json:"state"`
}

// An Answer is one of Stripe's that is kept, or a fact of ours.
type Answer struct {
	Ref      string    `json:"object"`
	At       time.Time `json:"as_of"`
	Received time.Time `json:"received_at"`
}
