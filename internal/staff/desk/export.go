package desk

import "net/http"

// Export begins a file that leaves the house: what is a plural such as
// "donations", filters says in the audit log what narrows it down, and back is
// the page of the list. From whoever may see names it takes a fresh sign-in.
// What is left to do is to write CSV.
func (d *Desk) Export(v *Visit, what, filters, back string) error {
	if v.Member.Role.Allows(Finance) {
		if err := d.Fresh(v, back); err != nil {
			return err
		}
	}
	entry := d.By(v, what+".export", "")
	entry.Detail = filters
	if err := d.Audit(v.Request.Context(), entry); err != nil {
		return err
	}
	v.Header("Content-Type", "text/csv; charset=utf-8; header=present")
	v.Header("Content-Disposition", `attachment; filename="`+what+"-"+d.Now().In(d.Zone).Format("2006-01-02")+`.csv"`)
	v.Status(http.StatusOK)
	return nil
}
