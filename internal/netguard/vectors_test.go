package netguard_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/netguard"
)

// vectorFile is testdata/ssrf.json.
type vectorFile struct {
	Hosts []struct {
		Host   string `json:"url_host"`
		Expect string `json:"expect"`
		Why    string `json:"why"`
	} `json:"hosts"`
	URLs []struct {
		URL    string `json:"url"`
		Expect string `json:"expect"`
		Why    string `json:"why"`
	} `json:"urls"`
}

func readVectors(t testing.TB) vectorFile {
	t.Helper()
	data, err := os.ReadFile("testdata/ssrf.json")
	if err != nil {
		t.Fatal(err)
	}
	var file vectorFile
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Hosts) != 84 || len(file.URLs) != 32 {
		t.Fatalf("got %d hosts and %d URLs, want 84 and 32", len(file.Hosts), len(file.URLs))
	}
	return file
}

var public = netip.MustParseAddr("93.184.216.34")

// fakeResolver answers from a table: one list of answers after the other, the last
// one for ever.
type fakeResolver map[string][][]netip.Addr

func (r fakeResolver) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	host = strings.TrimSuffix(host, ".")
	answers := r[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, Server: "10.0.0.2:53", IsNotFound: true}
	}
	if len(answers) > 1 {
		r[host] = answers[1:]
	}
	return answers[0], nil
}

func addrs(texts ...string) []netip.Addr {
	parsed := make([]netip.Addr, len(texts))
	for i, text := range texts {
		parsed[i] = netip.MustParseAddr(text)
	}
	return parsed
}

var errDialled = errors.New("dialled")

// recorder stands where the network is: it notes what is dialled and connects to nothing.
type recorder struct{ dialled []string }

func (r *recorder) connect(_ context.Context, _, address string) (net.Conn, error) {
	r.dialled = append(r.dialled, address)
	return nil, errDialled
}

// hostileNames are the names of ssrf.json that only DNS gives away.
func hostileNames() fakeResolver {
	return fakeResolver{
		"127.0.0.1.nip.io": {addrs("127.0.0.1")},
		"rebind.test":      {addrs("93.184.216.34"), addrs("127.0.0.1")},
		"mixed.test":       {addrs("93.184.216.34", "10.0.0.1")},
		"cname.test":       {addrs("127.0.0.1", "::1")},
		"aaaa-only.test":   {addrs("::1")},
	}
}

func TestEveryHostVectorHasItsVerdict(t *testing.T) {
	t.Parallel()
	resolved := 0
	for _, v := range readVectors(t).Hosts {
		target, err := new(netguard.Policy).CheckURL("https://" + v.Host + "/hook")
		if v.Expect == "either" {
			continue
		}
		if v.Expect == "allow" {
			if err != nil || !target.Addr.IsValid() {
				t.Errorf("%s (%s): %v", v.Host, v.Why, err)
			}
			continue
		}
		if err == nil {
			resolved++
			assertOnlyPublicDialled(t, target)
			continue
		}
		assertDenied(t, err, v.Host)
	}
	if resolved != len(hostileNames()) {
		t.Errorf("%d hosts were left to the dialer, want %d", resolved, len(hostileNames()))
	}
}

// assertOnlyPublicDialled dials a hostile name three times, as retries would.
func assertOnlyPublicDialled(t *testing.T, target netguard.Target) {
	t.Helper()
	network := &recorder{}
	dialer := &netguard.Dialer{Resolver: hostileNames(), Connect: network.connect}
	for range 3 {
		_, err := dialer.DialContext(t.Context(), "tcp", target.Host+":443")
		if !errors.Is(err, errDialled) {
			assertDenied(t, err, target.Host)
		}
	}
	for _, address := range network.dialled {
		if address != public.String()+":443" {
			t.Errorf("%s: dialled %s", target.Host, address)
		}
	}
	wantDials := map[string]int{"rebind.test": 1, "mixed.test": 3}[target.Host]
	if len(network.dialled) != wantDials {
		t.Errorf("%s: dialled %d times, want %d", target.Host, len(network.dialled), wantDials)
	}
}

func TestEveryURLVectorHasItsVerdict(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).URLs {
		_, err := new(netguard.Policy).CheckURL(v.URL)
		if strings.HasPrefix(v.Expect, "allow") {
			if err != nil {
				t.Errorf("%.80q (%s): %v", v.URL, v.Why, err)
			}
			continue
		}
		assertDenied(t, err, v.URL)
	}
}

// assertDenied demands a refusal by a rule of the closed set.
func assertDenied(t *testing.T, err error, what string) *netguard.Denied {
	t.Helper()
	refusal, ok := errors.AsType[*netguard.Denied](err)
	if !ok {
		t.Errorf("%.80q: %v, want a refusal", what, err)
		return &netguard.Denied{}
	}
	known := false
	for _, rule := range netguard.Rules() {
		known = known || rule == refusal.Rule
	}
	if !known || refusal.Detail == "" {
		t.Errorf("%.80q: rule %q, detail %q", what, refusal.Rule, refusal.Detail)
	}
	return refusal
}
