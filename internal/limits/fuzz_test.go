package limits

import (
	"net/http"
	"net/netip"
	"testing"
)

// FuzzClientIP: no header of a stranger's moves who they are, and no header at
// all makes somebody a proxy of ours.
func FuzzClientIP(f *testing.F) {
	for _, forwarded := range []string{"", "192.0.2.1", "10.0.0.1, 192.0.2.1", "[2001:db8::1]:80", "::ffff:10.0.0.9", "x,,", "10.0.0.1,10.0.0.2", "fe80::1%eth0"} {
		f.Add("10.0.0.7:4711", forwarded)
		f.Add("198.51.100.7:4711", forwarded)
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		client, direct := ClientIP(r, trusted), peer(remote)
		if !Trusted(direct, trusted) && client != direct {
			t.Errorf("%s says %q and is taken for %s", remote, forwarded, client)
		}
		if network := Network(client); network == "" || client.IsValid() && network == "unknown" {
			t.Errorf("%s is of the network %q", client, network)
		}
	})
}
