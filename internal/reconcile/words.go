package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// feesSettle is how long a donation may wait for its fee: that is asked of
// Stripe after each gift, and no difference meanwhile.
const feesSettle = 15 * time.Minute

// differences returns those of changes that are differences from Stripe, in
// words. at is when Stripe answered.
func (r *run) differences(ctx context.Context, changes []ledger.Change, at time.Time) ([]store.Difference, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	var about map[string]store.EventsAbout
	var open map[string]bool
	err := r.Store.Look(ctx, func(tx *store.Tx) (err error) {
		if err := tx.ByIndexes(ctx); err != nil {
			return err
		}
		var refs, wishes []string
		for _, c := range changes {
			wishes = append(wishes, wishesAbout(c)...)
			for _, ref := range c.By {
				refs = append(refs, string(ref))
			}
		}
		if open, err = tx.OpenFetches(ctx, wishes); err != nil {
			return err
		}
		about, err = tx.EventsAbout(ctx, refs)
		return err
	})
	if err != nil {
		return nil, err
	}
	changes = slices.DeleteFunc(changes, func(c ledger.Change) bool { return expected(c, at, open) || r.told[c.Ref] })
	found := make([]store.Difference, len(changes))
	for i, c := range changes {
		if r.Dry { // nothing is repaired, so that every page about it shows it again
			r.told[c.Ref] = true
		}
		found[i] = store.Difference{Ref: string(c.Ref), Cause: cause(c.By, about), Detail: detail(c), Found: r.Now()}
		sum := sha256.Sum256([]byte(r.Began.UTC().Format(time.RFC3339Nano) + "\n" + found[i].Ref + "\n" + found[i].Detail))
		found[i].ID = hex.EncodeToString(sum[:16])
	}
	return found, nil
}

// wishesAbout returns the wishes of the ledger that may be about a change.
func wishesAbout(c ledger.Change) []string {
	wishes := []string{string(c.Ref)}
	for _, ref := range c.By {
		wishes = append(wishes, string(ref))
	}
	if d := c.Donation[0]; d != nil {
		hour := time.Unix(d.Created, 0).Truncate(objects.TransactionsWindow)
		wishes = append(wishes, wishOf(objects.ListRefunds, d.Charge), wishOf(objects.ListDisputes, d.Charge),
			wishOf(objects.ListTransactions, unix(hour)))
	}
	if m := c.Membership[0]; m != nil {
		wishes = append(wishes, wishOf(string(objects.KindSubscription), m.Subscription), wishOf(string(objects.KindCustomer), m.Customer))
	}
	return wishes
}

func wishOf(what, id string) string { return what + "/" + id }

// expected reports whether a change comes by itself, so that it is no
// difference: what the ledger knows to be open and is about to ask, fees while
// they are young, a grace that is about to end, and who is whose first
// donation, which follows from the others.
func expected(c ledger.Change, at time.Time, open map[string]bool) bool {
	if before, after := c.Membership[0], c.Membership[1]; before != nil && after != nil {
		same := *before
		same.Live, same.LiveUntil = after.Live, after.LiveUntil
		return len(c.By) == 0 && same == *after || anyOpen(c, open)
	}
	if c.Payout[0] != nil {
		return anyOpen(c, open)
	}
	before, after := c.Donation[0], c.Donation[1]
	if before == nil || after == nil {
		return false
	}
	same := *before
	same.First = after.First
	asked := anyOpen(c, open)
	if asked || same.Settled.Currency == "" && at.Unix()-before.Created < int64(feesSettle/time.Second) {
		same.Settled, same.Elsewhere = after.Settled, after.Elsewhere
	}
	if asked {
		same.Refunded, same.Disputed, same.Lost, same.Turned = after.Refunded, after.Disputed, after.Lost, after.Turned
		same.Email, same.Supporter = after.Email, after.Supporter
	}
	return reflect.DeepEqual(&same, after)
}

func anyOpen(c ledger.Change, open map[string]bool) bool {
	return slices.ContainsFunc(wishesAbout(c), func(wish string) bool { return open[wish] })
}

// cause says how a difference came about, as far as what was delivered tells.
func cause(by []objects.Ref, about map[string]store.EventsAbout) string {
	if len(by) == 0 {
		return "what is stored of it did not follow from what Stripe had said"
	}
	slices.SortStableFunc(by, func(a, b objects.Ref) int { return nearness(a) - nearness(b) })
	for _, ref := range by {
		if e := about[string(ref)]; e.Count > 0 {
			return fmt.Sprintf("the last of %d events about %s was of %s; what came after never arrived",
				e.Count, ref, e.Newest.UTC().Format(time.RFC3339))
		}
	}
	return fmt.Sprintf("no event about %s ever arrived", by[0])
}

// nearness orders objects by how directly money or a membership is said in
// them.
func nearness(ref objects.Ref) int {
	order := [...]objects.Kind{
		objects.KindDispute, objects.KindRefund, objects.KindCharge, objects.KindSubscription, objects.KindInvoice, objects.KindSession,
		objects.KindIntent,
	}
	if i := slices.Index(order[:], ref.Kind()); i >= 0 {
		return i
	}
	return len(order)
}

// detail says what was stored and what Stripe says, without names or addresses.
func detail(c ledger.Change) string {
	switch {
	case c.Donation[0] != nil && c.Donation[1] != nil:
		return fields(*c.Donation[0], *c.Donation[1])
	case c.Donation[1] != nil:
		return "missing: " + giftWords(c.Donation[1])
	case c.Donation[0] != nil:
		return "recorded, and not Stripe's: " + giftWords(c.Donation[0])
	case c.Membership[0] != nil && c.Membership[1] != nil:
		return fields(*c.Membership[0], *c.Membership[1])
	case c.Membership[1] != nil:
		return "missing: " + c.Membership[1].Status
	case c.Membership[0] != nil:
		return "recorded, and not Stripe's: " + c.Membership[0].Status
	case c.Payout[0] != nil:
		return fields(*c.Payout[0], *c.Payout[1])
	case c.Payout[1] != nil:
		return fmt.Sprintf("missing: %s, %s", amount(c.Payout[1].Amount, c.Payout[1].Currency), c.Payout[1].Status)
	case c.Ref.Kind() == objects.KindRefund:
		return "missing: a refund that names neither a charge nor a PaymentIntent, so that it is taken from no gift"
	}
	return "missing: nothing was known of it"
}

func giftWords(d *giving.Donation) string {
	return fmt.Sprintf("%s of %s", amount(d.Gross, d.Currency), time.Unix(d.Created, 0).UTC().Format(time.RFC3339))
}

func amount(minor int64, currency string) string {
	return money.Amount{Minor: minor, Currency: strings.ToUpper(currency)}.Decimal() + " " + strings.ToUpper(currency)
}

// fields names the fields in which two structs of one type differ. What
// belongs to a person is named without its values.
func fields(before, after any) string {
	var words []string
	a, b := reflect.ValueOf(before), reflect.ValueOf(after)
	for i := range a.NumField() {
		field, x, y := a.Type().Field(i), a.Field(i).Interface(), b.Field(i).Interface()
		switch {
		case reflect.DeepEqual(x, y) || field.Name == "Stamp" || field.Name == "Listed": // when it was said
		case field.Name == "Email" || field.Name == "Name" || field.Name == "Supporter":
			words = append(words, strings.ToLower(field.Name)+" changed")
		case field.Type.Kind() == reflect.Struct:
			if inner := fields(x, y); inner != "" {
				words = append(words, inner)
			}
		default:
			words = append(words, fmt.Sprintf("%s %v → %v", strings.ToLower(field.Name), x, y))
		}
	}
	return strings.Join(words, ", ")
}
