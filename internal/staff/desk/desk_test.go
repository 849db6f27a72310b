package desk

import "testing"

func TestRoleAllows(t *testing.T) {
	t.Parallel()
	order := append([]Role{""}, Roles()...)
	for i, has := range order {
		for j, need := range order {
			if want := i > 0 && j > 0 && i >= j; has.Allows(need) != want {
				t.Errorf("%q allows %q: %v", has, need, !want)
			}
		}
	}
	if Role("root").Allows(Viewer) || Admin.Allows("root") {
		t.Error("what is no role counts as one")
	}
}

func TestDestinationStaysOnTheStaffPages(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"/staff":                          "/staff",
		"/staff/audit?who=a%40b":          "/staff/audit?who=a%40b",
		"":                                home,
		"/":                               home,
		"/staffing":                       home,
		"//evil.example/staff":            home,
		"///evil.example":                 home,
		"/\\evil.example":                 home,
		"https://evil.example/staff":      home,
		"javascript:alert(1)":             home,
		"/staff//evil.example":            home,
		"/staff/../support":               home,
		"/staff/%2e%2e/support":           home,
		"/staff\r\nSet-Cookie:x=1":        home,
		"/staff?x=\\":                     home,
		"http:/staff":                     home,
		"/staff/%5cevil":                  "/staff/%5cevil",
		"/staff/donations/pi_1#something": "/staff/donations/pi_1#something",
	} {
		if got := Destination(to); got != want {
			t.Errorf("Destination(%q) = %q, want %q", to, got, want)
		}
	}
}
