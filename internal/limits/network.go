package limits

import (
	"net/http"
	"net/netip"
	"strings"
)

// Widths of what counts as one network: what one household or one small host
// usually has.
const (
	bitsIPv4 = 24
	bitsIPv6 = 64
)

// Network returns the network of an address as a key for [Limits.Allow]:
// its /24 for IPv4 (also when written as IPv6), its /64 for IPv6. The zero
// address gives "unknown", which all such callers share.
func Network(remote netip.Addr) string {
	remote = remote.Unmap().WithZone("")
	bits := bitsIPv6
	if remote.Is4() {
		bits = bitsIPv4
	}
	prefix, err := remote.Prefix(bits)
	if err != nil || !prefix.IsValid() {
		return "unknown"
	}
	return prefix.String()
}

// ClientIP returns who sent r: the peer, or, where the peer is within trusted,
// the rightmost address of X-Forwarded-For that is not. What stands left of
// that address was written by anyone and is never believed; where an entry
// can't be read, the last proxy that could be is the answer. The zero address
// means that r names no peer.
func ClientIP(r *http.Request, trusted []netip.Prefix) netip.Addr {
	client := peer(r.RemoteAddr)
	if !Trusted(client, trusted) {
		return client
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, ok := address(strings.TrimSpace(hops[i]))
		if !ok {
			return client
		}
		client = hop
		if !Trusted(client, trusted) {
			return client
		}
	}
	return client
}

// Trusted reports whether addr is within one of the networks.
func Trusted(addr netip.Addr, networks []netip.Prefix) bool {
	addr = addr.Unmap().WithZone("")
	for _, network := range networks {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

func peer(remote string) netip.Addr {
	addr, _ := address(remote)
	return addr
}

// address reads an address with or without a port, IPv6 in brackets or not.
func address(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return netip.Addr{}, false
	}
	return addr.Unmap().WithZone(""), true
}
