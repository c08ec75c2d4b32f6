package netguard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/netguard"
)

func loopbackPolicy() *netguard.Policy {
	return &netguard.Policy{AllowHTTP: true, AllowNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

func TestDialerReachesAnAllowedServerByNameAndAddress(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	dialer := &netguard.Dialer{Policy: loopbackPolicy(), Resolver: fakeResolver{"hook.test": {addrs("10.0.0.1", "::ffff:127.0.0.1")}}}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST", "any.localhost", "hook.test"} {
		resp, err := client.Get("http://" + net.JoinHostPort(host, port))
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || string(body) != net.JoinHostPort(host, port) {
			t.Errorf("%s: got %q, %v", host, body, err)
		}
	}
}

func TestDialerRefusesLiteralsAndLocalNames(t *testing.T) {
	t.Parallel()
	network := &recorder{}
	dialer := &netguard.Dialer{Resolver: hostileNames(), Connect: network.connect}
	for address, want := range map[string]netguard.Rule{
		"127.0.0.1:443": netguard.RuleSpecial, "[::1]:443": netguard.RuleSpecial, "[::ffff:10.0.0.1]:443": netguard.RuleSpecial,
		"[fe80::1%eth0]:443": netguard.RuleZone, "0x7f.1:443": netguard.RuleAddressForm, "2130706433:443": netguard.RuleAddressForm,
		"localhost:443": netguard.RuleLocalName, "db:443": netguard.RuleLocalName, "metadata.google.internal:443": netguard.RuleMetadata,
		"93.184.216.34:22": netguard.RulePort, "93.184.216.34:0": netguard.RulePort, "aaaa-only.test:443": netguard.RuleSpecial,
		"mixed.test:22": netguard.RulePort, "exa mple.test:443": netguard.RuleHost,
	} {
		_, err := dialer.DialContext(t.Context(), "tcp", address)
		if refusal := assertDenied(t, err, address); refusal.Rule != want {
			t.Errorf("%s: rule %s, want %s", address, refusal.Rule, want)
		}
	}
	if len(network.dialled) != 0 {
		t.Errorf("dialled %v", network.dialled)
	}
}

func TestRefusalOfANameHidesWhereItLeads(t *testing.T) {
	t.Parallel()
	dialer := &netguard.Dialer{Resolver: fakeResolver{"wiki.corp.test": {addrs("10.11.12.13")}}}
	_, err := dialer.DialContext(t.Context(), "tcp", "wiki.corp.test:443")
	refusal := assertDenied(t, err, "wiki.corp.test")
	if strings.Contains(refusal.Error()+refusal.Hint, "10.11.12.13") || !strings.Contains(refusal.Error(), "wiki.corp.test") {
		t.Errorf("the refusal says %q", refusal)
	}
	if refusal.Addr != netip.MustParseAddr("10.11.12.13") {
		t.Errorf("the operator's log gets %s", refusal.Addr)
	}
}

func TestDialerNeverDialsThePrivateOneOfMixedAnswers(t *testing.T) {
	t.Parallel()
	network := &recorder{}
	dialer := &netguard.Dialer{
		Resolver: fakeResolver{"both.test": {addrs("::1", "93.184.216.34", "10.0.0.1", "::ffff:93.184.216.35", "::ffff:127.0.0.1", "2606:4700::1")}},
		Connect:  network.connect,
	}
	if _, err := dialer.DialContext(t.Context(), "tcp", "both.test:443"); !errors.Is(err, errDialled) {
		t.Errorf("got %v", err)
	}
	want := []string{"93.184.216.34:443", "[2606:4700::1]:443", "93.184.216.35:443"}
	if !slices.Equal(network.dialled, want) {
		t.Errorf("dialled %v, want %v", network.dialled, want)
	}
}

func TestControlContextStopsTheSocketItself(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	// A dialer that resolves behind our back, as a rebinding name would have it.
	dialer := net.Dialer{ControlContext: new(netguard.Policy).ControlContext}
	conn, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
	if err == nil {
		_ = conn.Close()
	}
	if refusal := assertDenied(t, err, "loopback"); refusal.Rule != netguard.RuleSpecial {
		t.Errorf("rule %s", refusal.Rule)
	}
	assertDenied(t, new(netguard.Policy).ControlContext(t.Context(), "unix", "/run/docker.sock", nil), "unix")
}

func TestDialerAsksTheResolverOnceAndWithoutSearchDomains(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		policy              *netguard.Policy
		network, host       string
		wantNetwork, wanted string
	}{
		{nil, "tcp", "Hooks.Example.com", "ip", "hooks.example.com."},
		{nil, "tcp4", "bücher.example.", "ip4", "xn--bcher-kva.example."},
		{loopbackPolicy(), "tcp6", "receiver", "ip6", "receiver"},
		{loopbackPolicy(), "tcp", "a.b", "ip", "a.b"},
	} {
		var asked []string
		resolver := resolverFunc(func(_ context.Context, network, host string) ([]netip.Addr, error) {
			asked = append(asked, network+" "+host)
			return addrs("93.184.216.34"), nil
		})
		dialer := &netguard.Dialer{Policy: test.policy, Resolver: resolver, Connect: (&recorder{}).connect}
		if _, err := dialer.DialContext(t.Context(), test.network, test.host+":443"); !errors.Is(err, errDialled) {
			t.Errorf("%s: %v", test.host, err)
		}
		if want := test.wantNetwork + " " + test.wanted; !slices.Equal(asked, []string{want}) {
			t.Errorf("%s: asked %v, want %s", test.host, asked, want)
		}
	}
}

type resolverFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

func (f resolverFunc) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return f(ctx, network, host)
}

func TestDialerBoundsTheNumberOfAnswers(t *testing.T) {
	t.Parallel()
	var many []netip.Addr
	for i := range 5000 {
		many = append(many, netip.AddrFrom4([4]byte{93, 184, byte(i >> 8), byte(i)}))
	}
	network := &recorder{}
	dialer := &netguard.Dialer{Resolver: fakeResolver{"many.test": {many}}, Connect: network.connect}
	if _, err := dialer.DialContext(t.Context(), "tcp", "many.test:443"); !errors.Is(err, errDialled) {
		t.Errorf("got %v", err)
	}
	if len(network.dialled) != netguard.MaxAnswers {
		t.Errorf("dialled %d addresses, want %d", len(network.dialled), netguard.MaxAnswers)
	}
}

func TestDialerBoundsResolution(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := resolverFunc(func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		for timeout, want := range map[time.Duration]time.Duration{0: netguard.DefaultResolveTimeout, time.Second: time.Second} {
			start := time.Now()
			_, err := (&netguard.Dialer{Resolver: slow, ResolveTimeout: timeout}).DialContext(t.Context(), "tcp", "slow.test:443")
			dnsErr, ok := errors.AsType[*net.DNSError](err)
			if !ok || !dnsErr.Timeout() || time.Since(start) != want {
				t.Errorf("timeout %s: %v after %s", timeout, err, time.Since(start))
			}
		}
	})
}

func TestDialerReportsDNSFailuresWithoutTheServer(t *testing.T) {
	t.Parallel()
	empty := resolverFunc(func(context.Context, string, string) ([]netip.Addr, error) { return nil, nil })
	for name, resolver := range map[string]netguard.Resolver{"not found": fakeResolver{}, "empty answer": empty} {
		_, err := (&netguard.Dialer{Resolver: resolver}).DialContext(t.Context(), "tcp", "gone.test:443")
		dnsErr, ok := errors.AsType[*net.DNSError](err)
		if !ok || !dnsErr.IsNotFound || dnsErr.Name != "gone.test" || strings.Contains(err.Error(), "10.0.0.2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDialerSharesItsTimeBetweenAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var tried []string
		dialer := &netguard.Dialer{
			Resolver:       fakeResolver{"slow.test": {addrs("93.184.216.1", "93.184.216.2", "93.184.216.3", "93.184.216.4")}},
			ConnectTimeout: 10 * time.Second,
			Connect: func(ctx context.Context, _, address string) (net.Conn, error) {
				tried = append(tried, fmt.Sprintf("%s %s", address, time.Since(start)))
				<-ctx.Done()
				return nil, ctx.Err()
			},
		}
		_, err := dialer.DialContext(t.Context(), "tcp", "slow.test:443")
		want := []string{"93.184.216.1:443 0s", "93.184.216.2:443 2.5s", "93.184.216.3:443 5s", "93.184.216.4:443 7.5s"}
		if !errors.Is(err, context.DeadlineExceeded) || !slices.Equal(tried, want) || time.Since(start) != 10*time.Second {
			t.Errorf("tried %v, %v after %s", tried, err, time.Since(start))
		}
	})
}

func TestDialerStopsWhenItsCallerDoes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	network := &recorder{}
	dialer := &netguard.Dialer{
		Resolver: fakeResolver{"two.test": {addrs("93.184.216.1", "93.184.216.2")}},
		Connect: func(ctx context.Context, kind, address string) (net.Conn, error) {
			cancel()
			return network.connect(ctx, kind, address)
		},
	}
	if _, err := dialer.DialContext(ctx, "tcp", "two.test:443"); err == nil || len(network.dialled) != 1 {
		t.Errorf("dialled %v after the cancellation, %v", network.dialled, err)
	}
}

func TestDialerTriesTheNextAddressAndReportsTheFirstFailure(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	works := ""
	dialer := &netguard.Dialer{
		Resolver: fakeResolver{"two.test": {addrs("93.184.216.1", "93.184.216.2")}},
		Connect: func(_ context.Context, _, address string) (net.Conn, error) {
			if address == works {
				return client, nil
			}
			return nil, fmt.Errorf("%s: %w", address, syscall.ECONNREFUSED)
		},
	}
	_, err := dialer.DialContext(t.Context(), "tcp", "two.test:443")
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "93.184.216.1:") {
		t.Errorf("got %v", err)
	}
	works = "93.184.216.2:443"
	if conn, err := dialer.DialContext(t.Context(), "tcp", "two.test:443"); err != nil || conn != client {
		t.Errorf("got %v", err)
	}
}

func TestDialerCallsEachTraceHookOnce(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	note := func(format string, args ...any) { events = append(events, fmt.Sprintf(format, args...)) }
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		DNSStart:     func(info httptrace.DNSStartInfo) { note("dns %s", info.Host) },
		DNSDone:      func(info httptrace.DNSDoneInfo) { note("dns done %v %v", info.Addrs, info.Err) },
		ConnectStart: func(network, addr string) { note("connect %s %s", network, addr) },
		ConnectDone:  func(network, addr string, err error) { note("connect done %s %s %v", network, addr, err) },
	})
	dialer := &netguard.Dialer{Policy: loopbackPolicy(), Resolver: fakeResolver{"hook.test": {addrs("127.0.0.1")}}}
	for _, host := range []string{"hook.test", "127.0.0.1"} {
		events = nil
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		want := []string{"connect tcp " + address, "connect done tcp " + address + " <nil>"}
		if host == "hook.test" {
			want = append([]string{"dns hook.test", "dns done [{127.0.0.1 }] <nil>"}, want...)
		}
		if !slices.Equal(events, want) {
			t.Errorf("%s: hooks %q, want %q", host, events, want)
		}
	}
}

func TestDialerTakesOnlyTCPAndHostPort(t *testing.T) {
	t.Parallel()
	network := &recorder{}
	dialer := &netguard.Dialer{Connect: network.connect}
	for _, test := range [][2]string{{"udp", "93.184.216.34:443"}, {"unix", "/run/docker.sock"}, {"tcp", "93.184.216.34"}, {"tcp", "93.184.216.34:https"}, {"tcp", "93.184.216.34:70000"}} {
		if _, err := dialer.DialContext(t.Context(), test[0], test[1]); err == nil || errors.Is(err, errDialled) {
			t.Errorf("%v: %v", test, err)
		}
	}
}
