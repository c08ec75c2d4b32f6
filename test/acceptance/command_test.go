package acceptance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/svix/svix-webhooks/go/models"

	"github.com/grapnelhq/grapnel/test/rig"
)

// command runs the binary as a user in a folder of its own does.
func command(t *testing.T, home string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = home
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home}, env...)
	return cmd
}

// outcome runs a command to its end.
func outcome(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return out.String(), complaints.String(), cmd.ProcessState.ExitCode()
}

func TestSendWaitsAndItsExitCodeTellsTheOutcome(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook(200, 200, 500)
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	env := []string{"GRAPNEL_SERVER=" + server.URL, "GRAPNEL_API_KEY=" + rig.Key}
	send := func(more ...string) (stdout string, code int) {
		args := append([]string{"send", "invoice.paid", "-d", `{"amount":1200}`, "--wait", "--app", app}, more...)
		stdout, stderr, code := outcome(t, command(t, t.TempDir(), env, args...))
		if code != 0 && code != 8 {
			t.Errorf("grapnel send ended with %d: %s", code, stderr)
		}
		return stdout, code
	}
	stdout, code := send()
	equal(t, "exit code of a delivered event", code, 0)
	if !strings.Contains(stdout, ep) || !strings.Contains(stdout, "200") {
		t.Errorf("the output does not say what the endpoint answered:\n%s", stdout)
	}
	equal(t, "body", string(hook.Next(t).Body), `{"amount":1200}`)

	stdout, code = send("-o", "json")
	equal(t, "exit code", code, 0)
	var out struct {
		Attempts []struct {
			EndpointID         string `json:"endpointId"`
			ResponseStatusCode int
		}
	}
	if err := json.Unmarshal([]byte(stdout), &out); err != nil || len(out.Attempts) != 1 ||
		out.Attempts[0].EndpointID != ep || out.Attempts[0].ResponseStatusCode != 200 {
		t.Errorf("JSON output (%v):\n%s", err, stdout)
	}
	stdout, code = send()
	equal(t, "exit code of a delivery that failed", code, 8)
	if !strings.Contains(stdout, "500") {
		t.Errorf("the output does not say what the endpoint answered:\n%s", stdout)
	}
}

func TestDevDeliversAFirstWebhookAndServesTheCommandLine(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	address, err := rig.FreeAddress()
	ok(t, err)
	var text rig.Tail
	dev := command(t, home, nil, "dev", "--listen", address)
	dev.Stdout, dev.Stderr = &text, &text
	ok(t, dev.Start())
	eventually(t, func() error {
		for _, want := range []string{"first webhook delivered", "signature verified", "http://" + address + "/api/v1"} {
			if !strings.Contains(text.String(), want) {
				return errors.New("the start text does not say " + want + ":\n" + text.String())
			}
		}
		return nil
	})
	stdout, stderr, code := outcome(t, command(t, home, nil, "send", "user.created", "-d", `{"id":42}`, "--wait"))
	if code != 0 || !strings.Contains(stdout, "200") {
		t.Errorf("grapnel send to grapnel dev ended with %d:\n%s%s", code, stdout, stderr)
	}
	ended := make(chan error, 1)
	go func() { ended <- dev.Wait() }()
	ok(t, dev.Process.Signal(syscall.SIGTERM))
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	select {
	case err := <-ended:
		ok(t, err)
	case <-ctx.Done():
		t.Fatalf("grapnel dev did not end:\n%s", text.String())
	}
}
