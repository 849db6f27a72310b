package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxControl is the size of a request to a switch, in bytes.
const maxControl = 64 << 10

// routeControl lists the switches: what happens at Stripe without any request
// of ours, as a person in its dashboard, a bank or time would do it. They take
// forms (chaos: JSON) by POST and answer JSON, with the id of what was made:
//
//	curl -d advance=720h http://127.0.0.1:8080/sandbox/control/clock
//	curl -d amount=500 http://127.0.0.1:8080/sandbox/control/charges/ch_…/refund
//	curl -d outcome=won -d fee_back=true http://127.0.0.1:8080/sandbox/control/disputes/dp_…/close
//	curl -d '{"double":30,"late_ns":5000000000}' http://127.0.0.1:8080/sandbox/control/chaos
func (s *Sandbox) routeControl(mux *http.ServeMux) {
	on := func(path string, f func(r *http.Request) (any, error)) {
		mux.HandleFunc("POST /control/"+path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxControl)
			result, err := f(r)
			s.answerControl(w, result, err)
		})
	}
	on("clock", func(r *http.Request) (any, error) {
		d, err := time.ParseDuration(r.FormValue("advance"))
		if err != nil {
			return nil, invalid("advance", "advance: give a duration such as 72h.")
		}
		return Object{}, s.Advance(d)
	})
	on("chaos", s.controlChaos)
	on("sessions/{id}/pay", func(r *http.Request) (any, error) {
		to, err := s.Pay(r.PathValue("id"), payerOf(r), Outcome(r.FormValue("outcome")))
		return Object{"url": to}, err
	})
	on("charges/{id}/refund", func(r *http.Request) (any, error) {
		amount, err := amountOf(r)
		if err != nil {
			return nil, err
		}
		return idOf(s.Refund(r.PathValue("id"), amount))
	})
	on("refunds/{id}/fail", func(r *http.Request) (any, error) { return Object{}, s.FailRefund(r.PathValue("id")) })
	on("charges/{id}/dispute", func(r *http.Request) (any, error) {
		amount, err := amountOf(r)
		if err != nil {
			return nil, err
		}
		return idOf(s.Dispute(r.PathValue("id"), Complaint{Amount: amount, Reason: r.FormValue("reason"),
			Inquiry: r.FormValue("inquiry") == "true", InSettlement: r.FormValue("in_settlement") == "true"}))
	})
	on("disputes/{id}/close", func(r *http.Request) (any, error) {
		return Object{}, s.CloseDispute(r.PathValue("id"), r.FormValue("outcome"), r.FormValue("fee_back") == "true")
	})
	on("disputes/{id}/escalate", func(r *http.Request) (any, error) { return Object{}, s.EscalateDispute(r.PathValue("id")) })
	on("disputes/{id}/reverse", func(r *http.Request) (any, error) {
		return Object{}, s.ReverseDispute(r.PathValue("id"), r.FormValue("fee_back") == "true")
	})
	on("charges/{id}/warn", func(r *http.Request) (any, error) { return idOf(s.WarnOfFraud(r.PathValue("id"))) })
	on("subscriptions/{id}/fail", func(r *http.Request) (any, error) {
		return Object{}, s.FailPayments(r.PathValue("id"), r.FormValue("fail") != "false")
	})
	on("subscriptions/{id}/ask", func(r *http.Request) (any, error) {
		return Object{}, s.AskForAction(r.PathValue("id"), r.FormValue("ask") != "false")
	})
	on("payouts/{id}/fail", func(r *http.Request) (any, error) { return Object{}, s.FailPayout(r.PathValue("id")) })
	on("payouts", func(r *http.Request) (any, error) {
		amount, err := amountOf(r)
		if err != nil {
			return nil, err
		}
		return idOf(s.ManualPayout(amount))
	})
	on("customers/{id}/invoice", func(r *http.Request) (any, error) {
		amount, err := amountOf(r)
		if err != nil {
			return nil, err
		}
		return idOf(s.OutOfBandInvoice(r.PathValue("id"), amount, r.FormValue("currency"), nil))
	})
	on("foreign", func(r *http.Request) (any, error) {
		amount, err := amountOf(r)
		if err != nil {
			return nil, err
		}
		return idOf(s.ForeignCharge(amount, r.FormValue("currency"), r.FormValue("email")))
	})
	on("fees", func(r *http.Request) (any, error) {
		amount, err := amountOf(r)
		if err != nil {
			return nil, err
		}
		return idOf(s.TakeFee(amount, r.FormValue("description")))
	})
	on("events/{id}/redeliver", func(r *http.Request) (any, error) { return Object{}, s.Redeliver(r.PathValue("id")) })
}

func payerOf(r *http.Request) Payer {
	return Payer{Email: r.FormValue("email"), Name: r.FormValue("name"), Country: r.FormValue("country")}
}

func idOf(id string, err error) (any, error) { return Object{"id": id}, err }

// amountOf reads an optional amount in minor units.
func amountOf(r *http.Request) (int64, error) {
	text := r.FormValue("amount")
	if text == "" {
		return 0, nil
	}
	amount, err := strconv.ParseInt(text, 10, 64)
	if err != nil || amount < 1 {
		return 0, invalid("amount", "amount: give a positive whole number of minor units.")
	}
	return amount, nil
}

// controlChaos takes JSON, the form of [Chaos]; what is left out is off.
func (s *Sandbox) controlChaos(r *http.Request) (any, error) {
	var c Chaos
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil && err != io.EOF {
		return nil, invalid("", "chaos: "+err.Error())
	}
	return c, s.SetChaos(c)
}

func (s *Sandbox) answerControl(w http.ResponseWriter, result any, err error) {
	status := http.StatusOK
	if err != nil {
		e := asAPIError(err)
		if e.status >= http.StatusInternalServerError {
			s.opts.Log.Error("sandbox: a switch failed", "err", err)
		}
		status, result = e.status, e.body("")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(mustJSON(result), '\n'))
}
