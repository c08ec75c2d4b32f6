package netguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Limits of one [Dialer.DialContext].
const (
	// MaxAnswers is how many addresses of a name are looked at.
	MaxAnswers = 16
	// DefaultResolveTimeout bounds the resolution of a name.
	DefaultResolveTimeout = 5 * time.Second
	// DefaultConnectTimeout bounds all attempts to connect together.
	DefaultConnectTimeout = 10 * time.Second

	// maxShare is the longest time for one address while others wait, so that a
	// broken route to the first does not use up all of the time.
	maxShare = 3 * time.Second
)

// Resolver looks up names; [*net.Resolver] is one. Under a policy without AllowNets
// host ends in a dot, so that no search domain turns it into a local name.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

var _ Resolver = (*net.Resolver)(nil)

// Dialer connects to what its policy allows, and to nothing else. The zero Dialer has
// the strictest policy. It must not be changed while it is in use.
type Dialer struct {
	// Policy decides; nil is the zero Policy.
	Policy *Policy
	// Resolver looks up names; nil is net.DefaultResolver.
	Resolver Resolver
	// ResolveTimeout and ConnectTimeout replace the defaults if they are not 0.
	ResolveTimeout, ConnectTimeout time.Duration
	// Connect replaces the connection by TCP, for networks in memory. It gets
	// only addresses that are allowed, as text with the port.
	Connect func(ctx context.Context, network, address string) (net.Conn, error)
}

// DialContext connects to address, which is host:port, over network tcp, tcp4 or tcp6.
// It fits [net/http.Transport]. The hooks of [httptrace] in ctx are called: DNSStart and
// DNSDone once if a name is resolved, ConnectStart and ConnectDone for each address that
// is tried.
//
// The error has a [*Denied] in its chain if the policy refuses the name or all of
// its addresses, a [*net.DNSError] if the name does not resolve, and otherwise is that
// of the first attempt to connect.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := splitAddress(network, address)
	if err != nil {
		return nil, err
	}
	addrs, err := d.find(ctx, network, host, port)
	if err != nil {
		return nil, err
	}
	return d.connectAny(ctx, network, addrs, port)
}

func (d *Dialer) policy() *Policy {
	if d.Policy == nil {
		return &Policy{}
	}
	return d.Policy
}

func splitAddress(network, address string) (host string, port uint16, err error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return "", 0, fmt.Errorf("dial: %w", net.UnknownNetworkError(network))
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("dial: %w", err)
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("dial: %w", &net.AddrError{Err: "invalid port", Addr: address})
	}
	return host, uint16(number), nil
}

// find returns the allowed addresses of host, at least one.
func (d *Dialer) find(ctx context.Context, network, host string, port uint16) ([]netip.Addr, error) {
	policy := d.policy()
	host, addr, refusal := checkHost(host, false)
	if refusal != nil {
		return nil, refusal
	}
	if addr.IsValid() {
		if refusal := policy.refuseAddrPort(netip.AddrPortFrom(addr, port)); refusal != nil {
			return nil, refusal
		}
		return []netip.Addr{addr.Unmap()}, nil
	}
	if refusal := policy.refuseName(host); refusal != nil {
		return nil, refusal
	}
	addrs := loopbackAddrs
	if !isLoopbackName(host) {
		var err error
		if addrs, err = d.resolve(ctx, network, host); err != nil {
			return nil, err
		}
	}
	if refusal := policy.refuseAll(host, addrs, port); refusal != nil {
		return nil, refusal
	}
	return policy.allowed(addrs, port), nil
}

func (p *Policy) allowed(addrs []netip.Addr, port uint16) []netip.Addr {
	var allowed []netip.Addr
	for _, addr := range addrs {
		if p.refuseAddrPort(netip.AddrPortFrom(addr, port)) == nil {
			allowed = append(allowed, addr)
		}
	}
	return alternate(allowed)
}

// alternate takes turns between the families, beginning with that of the first
// address: if one family does not work here, the second attempt already succeeds.
func alternate(addrs []netip.Addr) []netip.Addr {
	var first, second, mixed []netip.Addr
	for _, addr := range addrs {
		if addr.Is4() == addrs[0].Is4() {
			first = append(first, addr)
		} else {
			second = append(second, addr)
		}
	}
	for i := range max(len(first), len(second)) {
		if i < len(first) {
			mixed = append(mixed, first[i])
		}
		if i < len(second) {
			mixed = append(mixed, second[i])
		}
	}
	return mixed
}

// resolve returns at most MaxAnswers unmapped addresses, at least one.
func (d *Dialer) resolve(ctx context.Context, network, host string) ([]netip.Addr, error) {
	trace := httptrace.ContextClientTrace(ctx)
	if trace != nil && trace.DNSStart != nil {
		trace.DNSStart(httptrace.DNSStartInfo{Host: host})
	}
	addrs, err := d.lookup(ctx, network, host)
	if trace != nil && trace.DNSDone != nil {
		trace.DNSDone(httptrace.DNSDoneInfo{Addrs: ipAddrs(addrs), Err: err})
	}
	return addrs, err
}

func (d *Dialer) lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	var resolver Resolver = net.DefaultResolver
	if d.Resolver != nil {
		resolver = d.Resolver
	}
	asked := host
	if len(d.policy().AllowNets) == 0 && strings.Contains(host, ".") {
		asked += "."
	}
	ctx, cancel := context.WithTimeout(untraced{ctx}, orDefault(d.ResolveTimeout, DefaultResolveTimeout))
	defer cancel()
	addrs, err := resolver.LookupNetIP(ctx, strings.Replace(network, "tcp", "ip", 1), asked)
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	}
	if err != nil {
		return nil, fmt.Errorf("resolve: %w", asDNSError(err, host))
	}
	addrs = addrs[:min(len(addrs), MaxAnswers)]
	unmapped := make([]netip.Addr, len(addrs))
	for i, addr := range addrs {
		unmapped[i] = addr.Unmap()
	}
	return unmapped, nil
}

// asDNSError makes all failures of resolution one type, whichever resolver it was, and
// leaves out which DNS server the operator uses: the owner of the name reads it.
func asDNSError(err error, host string) error {
	if dnsErr, ok := errors.AsType[*net.DNSError](err); ok {
		shown := *dnsErr
		shown.Name, shown.Server = host, ""
		return &shown
	}
	return &net.DNSError{UnwrapErr: err, Err: err.Error(), Name: host, IsTimeout: errors.Is(err, context.DeadlineExceeded)}
}

func ipAddrs(addrs []netip.Addr) []net.IPAddr {
	converted := make([]net.IPAddr, len(addrs))
	for i, addr := range addrs {
		converted[i] = net.IPAddr{IP: addr.AsSlice()}
	}
	return converted
}

func (d *Dialer) connectAny(ctx context.Context, network string, addrs []netip.Addr, port uint16) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, orDefault(d.ConnectTimeout, DefaultConnectTimeout))
	defer cancel()
	var first error
	for i, addr := range addrs {
		conn, err := d.connectOne(ctx, network, netip.AddrPortFrom(addr, port), len(addrs)-i)
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// connectOne takes its share of the time that is left for all attempts.
func (d *Dialer) connectOne(ctx context.Context, network string, target netip.AddrPort, left int) (net.Conn, error) {
	trace := httptrace.ContextClientTrace(ctx)
	if left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, min(timeLeft(ctx)/time.Duration(left), maxShare))
		defer cancel()
	}
	address := target.String()
	if trace != nil && trace.ConnectStart != nil {
		trace.ConnectStart(network, address)
	}
	conn, err := d.connect(untraced{ctx}, network, address)
	if trace != nil && trace.ConnectDone != nil {
		trace.ConnectDone(network, address, err)
	}
	return conn, err
}

func (d *Dialer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if d.Connect != nil {
		return d.Connect(ctx, network, address)
	}
	dialer := net.Dialer{ControlContext: d.policy().ControlContext}
	return dialer.DialContext(ctx, network, address)
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// untraced hides the values of a context from package net, which would call the
// hooks of httptrace a second time.
type untraced struct{ context.Context }

// Value finds nothing.
func (untraced) Value(any) any { return nil }
