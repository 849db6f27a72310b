package objects

// Contradicts reports whether what is said of an object can't be true beside
// what is known of it, since Stripe sets the field once. The join keeps the
// greater of the two, so that all orders come to the same; which is right only
// somebody who looks can tell.
func Contradicts(known, said Register) bool {
	switch k := known.(type) {
	case *Charge:
		s := said.(*Charge)
		return differ(k.Intent, s.Intent) || differ(k.Invoice, s.Invoice) || differ(k.Transaction, s.Transaction) || differ(k.Currency, s.Currency)
	case *Intent:
		return differ(k.Invoice, said.(*Intent).Invoice)
	case *Session:
		s := said.(*Session)
		return differ(k.Intent, s.Intent) || differ(k.Subscription, s.Subscription) || differ(k.Invoice, s.Invoice)
	case *Invoice:
		s := said.(*Invoice)
		return differ(k.Subscription, s.Subscription) || differ(k.Intent, s.Intent)
	case *Refund:
		s := said.(*Refund)
		return differ(k.Charge, s.Charge) || differ(k.Amount, s.Amount) || differ(k.Currency, s.Currency) || differ(k.FailureTransaction, s.FailureTransaction)
	case *Dispute:
		return differ(k.Charge, said.(*Dispute).Charge)
	case *Transaction:
		s := said.(*Transaction)
		return differ(k.Amount, s.Amount) || differ(k.Net, s.Net) || differ(k.Currency, s.Currency)
	}
	return false
}

// differ reports whether two things were said, the one not the other.
func differ[T int64 | string](a, b T) bool {
	var unsaid T
	return a != unsaid && b != unsaid && a != b
}
