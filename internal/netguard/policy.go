package netguard

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Policy says what may be dialled. The zero Policy is the strictest: https to public
// addresses on ports 443 and 8443. It must not be changed while it is in use.
type Policy struct {
	// AllowNets are networks that may be reached although they are special, and
	// on any port. A metadata address must be named by itself: a wider network
	// does not open it. An address that wraps an IPv4 address is allowed only if
	// that one is allowed too.
	AllowNets []netip.Prefix
	// AllowHTTP admits plain http.
	AllowHTTP bool
	// AllowPorts are the ports of all other addresses. Empty means 443 and 8443,
	// and 80 with AllowHTTP.
	AllowPorts []uint16
	// SelfAddrs are the addresses on which this server listens, with their real
	// ports. They are refused whatever AllowNets says. An unspecified address
	// (0.0.0.0, ::) stands for every address of this machine.
	SelfAddrs []netip.AddrPort
	// SelfExcept are addresses that SelfAddrs do not cover.
	SelfExcept []netip.AddrPort
	// Interfaces lists the addresses of this machine; nil asks the operating
	// system. It is called only for targets with a port of SelfAddrs.
	Interfaces func() ([]netip.Addr, error)
}

var (
	defaultPorts         = []uint16{443, 8443}
	defaultPortsWithHTTP = []uint16{443, 8443, 80}
)

func (p *Policy) ports() []uint16 {
	switch {
	case len(p.AllowPorts) > 0:
		return p.AllowPorts
	case p.AllowHTTP:
		return defaultPortsWithHTTP
	}
	return defaultPorts
}

// CheckAddr decides about an address, whatever the port. The error is a [*Denied].
func (p *Policy) CheckAddr(addr netip.Addr) error {
	if refusal := p.refuse(addr); refusal != nil {
		return refusal
	}
	return nil
}

// CheckAddrPort decides about an address with its port. The error is a [*Denied].
func (p *Policy) CheckAddrPort(target netip.AddrPort) error {
	if refusal := p.refuseAddrPort(target); refusal != nil {
		return refusal
	}
	return nil
}

// ControlContext fits [net.Dialer]: it decides about the address that the socket is
// about to connect to, after all resolution. The error is a [*Denied].
func (p *Policy) ControlContext(_ context.Context, _, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return denied(RuleForm, "the socket's address is not an IP address", "")
	}
	return p.CheckAddrPort(target)
}

func (p *Policy) refuseAddrPort(target netip.AddrPort) *Denied {
	if refusal := p.refuseSelf(target); refusal != nil {
		return refusal
	}
	if refusal := p.refuse(target.Addr()); refusal != nil {
		return refusal
	}
	if p.allowsNet(target.Addr().Unmap()) {
		return nil
	}
	return p.refusePort(target.Port())
}

func (p *Policy) refusePort(port uint16) *Denied {
	ports := p.ports()
	if port != 0 && slices.Contains(ports, port) {
		return nil
	}
	if port == 0 {
		return denied(RulePort, "port 0 cannot be dialled", "")
	}
	return denied(RulePort, fmt.Sprintf("port %d is not one of %s", port, joinPorts(ports, ", ")),
		"an operator can allow it with --allow-ports "+joinPorts(ports, ",")+","+strconv.Itoa(int(port)))
}

func joinPorts(ports []uint16, separator string) string {
	texts := make([]string, len(ports))
	for i, port := range ports {
		texts[i] = strconv.Itoa(int(port))
	}
	return strings.Join(texts, separator)
}

func (p *Policy) refuse(addr netip.Addr) *Denied {
	switch {
	case !addr.IsValid():
		return denied(RuleAddressForm, "no address", "")
	case addr.Zone() != "":
		return deniedAddr(RuleZone, addr.WithZone(""), "given with a zone", "leave the zone out")
	}
	inner := addr.Unmap()
	if p.allowsNet(inner) {
		return nil
	}
	if b, ok := find(metadata, inner); ok {
		return deniedAddr(RuleMetadata, addr, b.String(), "")
	}
	if b, ok := special(inner); ok {
		return refuseBlock(addr, b)
	}
	switch {
	case addr.Is4In6():
		return deniedAddr(RuleEmbedded, addr, "an IPv4 address in IPv6 spelling", "write "+inner.String())
	case inner.Is6() && !globalUnicast.Contains(inner):
		return deniedAddr(RuleUnallocated, addr, "outside of "+globalUnicast.String(), allowHint(inner.String()))
	}
	return nil
}

func refuseBlock(addr netip.Addr, b block) *Denied {
	hint := allowHint(b.prefix.String())
	if v4, ok := embedded(addr); ok && !addr.IsUnspecified() && !addr.IsLoopback() {
		return deniedAddr(RuleEmbedded, addr, fmt.Sprintf("%s and wraps %s", b, v4), hint+"; the IPv4 address must be allowed too")
	}
	return deniedAddr(RuleSpecial, addr, b.String(), hint)
}

func allowHint(network string) string { return "an operator can allow it with --allow-net " + network }

// allowsNet tells whether an unmapped address is in AllowNets and may be.
func (p *Policy) allowsNet(addr netip.Addr) bool {
	if len(p.AllowNets) == 0 {
		return false
	}
	_, isMetadata := find(metadata, addr)
	inside := slices.ContainsFunc(p.AllowNets, func(network netip.Prefix) bool {
		return network.Contains(addr) && (!isMetadata || network.IsSingleIP())
	})
	if !inside || addr.IsLoopback() || addr.IsUnspecified() {
		return inside
	}
	v4, ok := embedded(addr)
	return !ok || p.refuse(v4) == nil
}

func (p *Policy) refuseSelf(target netip.AddrPort) *Denied {
	target = netip.AddrPortFrom(target.Addr().Unmap().WithZone(""), target.Port())
	if slices.Contains(p.SelfExcept, target) {
		return nil
	}
	for _, self := range p.SelfAddrs {
		if self.Port() == target.Port() && p.isSelf(self.Addr().Unmap(), target.Addr()) {
			return deniedAddr(RuleSelf, target.Addr(), "where this server listens on port "+strconv.Itoa(int(target.Port())), "")
		}
	}
	return nil
}

func (p *Policy) isSelf(self, target netip.Addr) bool {
	switch {
	case self == target:
		return true
	case target.IsUnspecified():
		// The operating system takes it for this machine.
		return true
	case !self.IsUnspecified():
		return false
	case target.IsLoopback():
		return true
	}
	interfaces, err := p.interfaces()
	// Without knowing its own addresses, the server cannot rule out a loop.
	return err != nil || slices.Contains(interfaces, target)
}

func (p *Policy) interfaces() ([]netip.Addr, error) {
	if p.Interfaces != nil {
		return p.Interfaces()
	}
	networks, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list the addresses of this machine: %w", err)
	}
	addrs := make([]netip.Addr, 0, len(networks))
	for _, network := range networks {
		if parsed, err := netip.ParsePrefix(network.String()); err == nil {
			addrs = append(addrs, parsed.Addr().Unmap().WithZone(""))
		}
	}
	return addrs, nil
}

// ParseNets reads the networks of --allow-net: prefixes or single addresses,
// separated by commas. An empty text is no network.
func ParseNets(list string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		network, err := parseNet(text)
		if err != nil {
			return nil, err
		}
		networks = append(networks, network)
	}
	return networks, nil
}

func parseNet(text string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(text)
	if addr, addrErr := netip.ParseAddr(text); addrErr == nil && addr.Zone() == "" {
		network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q is not a network: write it like 10.0.0.0/8 or fd00::/8", text)
	case network.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%q is IPv4 in IPv6 spelling: write it like 10.0.0.0/8", text)
	case network != network.Masked():
		return netip.Prefix{}, fmt.Errorf("%q has bits set after the prefix: write %s", text, network.Masked())
	}
	return network, nil
}
