// Package examples_test runs the examples as their readers do, by one command, and reads what they print.
package examples_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/testx"
)

// examples are all of them, with what each must print.
var examples = map[string]string{
	"shop": `shop: order 7001 paid
inventory: order 7001 applied
receipts: order 7001 applied
inventory: order 7001 came again, nothing to do
receipts: order 7001 came again, nothing to do
stock: 8 kettles of 10 left; receipts: 1 written, 1 sent
`,
	"stripe-payment": `stripe: stripe/charge.refunded evt_refund answered 202
shop: charge.refunded applied
stripe: stripe/payment_intent.succeeded evt_payment answered 202
shop: payment_intent.succeeded applied
stripe: stripe/payment_intent.succeeded evt_payment answered 202
stripe: stripe/checkout.session.completed evt_checkout answered 202
shop: checkout.session.completed applied
stripe: stripe/payment_intent.succeeded evt_forged answered 401
shop: payment_intent.succeeded came again, nothing to do
order ord_20417: paid 8490, refunded 2490, shipped 1 time(s)
`,
	"github-build": `github: github/ping 0 to main answered 202
github: github/push 1 to main answered 202
builder: 3f9c1b7 succeeded
github: github/push 1 to main answered 202
github: github/push 2 to $(touch built) answered 202
builder: "refs/heads/$(touch built)" of "example-shop/kettle" is not built
github: github/push 3 to main answered 401
builder: "refs/heads/$(touch built)" of "example-shop/kettle" is not built
builder: 3f9c1b7 came again, nothing to do
build of 3f9c1b7a52de04881f6a0b9d7c3e5a2144d0e6b8 succeeded: go version ` + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n",
}

func TestExamplesDoWhatTheySay(t *testing.T) {
	t.Parallel()
	for name, want := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, failure bytes.Buffer
			example := exec.CommandContext(t.Context(), "go", "run", "./examples/"+name)
			example.Dir = "../.."
			example.Env = append(os.Environ(), "CGO_ENABLED=0")
			example.Stdout, example.Stderr = &out, &failure
			if err := example.Run(); err != nil {
				t.Fatalf("%v\n%s%s", err, out.String(), failure.String())
			}
			testx.Equal(t, out.String(), want)
		})
	}
}

// An example without a test, or one whose README gives another command, would rot.
func TestEveryExampleIsRunByTheCommandOfItsReadme(t *testing.T) {
	t.Parallel()
	mains, err := filepath.Glob("../../examples/*/main.go")
	testx.NoError(t, err)
	testx.Equal(t, len(mains), len(examples), "examples with a main.go")
	for _, file := range mains {
		folder := filepath.Dir(file)
		name := filepath.Base(folder)
		if examples[name] == "" {
			t.Errorf("%s has no test", name)
		}
		readme, err := os.ReadFile(filepath.Join(folder, "README.md"))
		testx.NoError(t, err)
		if command := "\ngo run ./examples/" + name + "\n"; strings.Count(string(readme), "```") != 2 || !strings.Contains(string(readme), command) {
			t.Errorf("the README of %s does not give the one command", name)
		}
	}
}
