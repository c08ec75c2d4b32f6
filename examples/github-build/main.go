// Command github-build is an example: a push to GitHub that starts a build, once.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/examples/local"
	"github.com/grapnelhq/grapnel/provider"
	"github.com/grapnelhq/grapnel/webhook"
)

//go:embed build.json
var configuration []byte

// webhookSecret is what one types into the form of the webhook at GitHub.
const webhookSecret = "example-secret-of-a-github-webhook"

// hooks is how GitHub reaches the source.
var hooks = &http.Client{Timeout: 10 * time.Second}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	err := run(ctx, os.Stdout)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "github-build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "grapnel-github-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	grapnel, err := local.Start(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, grapnel.Stop()) }()
	builder, err := newBuilder(ctx, folder, configuration)
	if err != nil {
		return err
	}
	defer builder.db.Close()
	working, stopWork := context.WithCancel(ctx)
	worked := make(chan error, 1)
	go func() { worked <- builder.run(working) }()
	defer func() {
		stopWork()
		err = errors.Join(err, <-worked)
	}()
	secret := webhook.NewSecret().Reveal()
	url, stop, err := local.Serve(builder.handler(secret))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()

	source, err := grapnel.CreateSource(ctx, apitype.SourceIn{
		Name: "Pushes", Type: "github", Secrets: apitype.Some([]apitype.SourceSecretIn{{Value: webhookSecret}}),
	})
	if err != nil {
		return err
	}
	// GitHub also sends a ping; the builder wants pushes alone.
	endpoint, err := grapnel.CreateEndpoint(ctx, source.ID, apitype.EndpointIn{
		URL: url, Secret: apitype.Some(secret), EventTypes: apitype.Some([]string{"push"}),
	})
	if err != nil {
		return err
	}
	demo := &demo{out: out, grapnel: grapnel.Client, builder: builder, source: source, endpoint: endpoint.ID}
	if err := demo.play(ctx); err != nil {
		return err
	}
	return demo.report(ctx)
}

// demo plays GitHub and watches the builder.
type demo struct {
	out      io.Writer
	grapnel  *client.Client
	builder  *builder
	source   apitype.SourceOut
	endpoint string
}

// play pushes to the branch, twice the same, and to another one whose name a shell would run; then somebody else pushes.
func (d *demo) play(ctx context.Context) error {
	for _, step := range []struct {
		sample, branch, id, secret string
		arrives                    bool
	}{
		{"github/ping", "main", "0", webhookSecret, false},
		{"github/push", "main", "1", webhookSecret, true},
		{"github/push", "main", "1", webhookSecret, false},
		{"github/push", "$(touch built)", "2", webhookSecret, true},
		{"github/push", "main", "3", "somebody else's", false},
	} {
		status, err := d.send(ctx, step.sample, step.branch, step.id, step.secret)
		if err != nil {
			return err
		}
		fmt.Fprintf(d.out, "github: %s %s to %s answered %d\n", step.sample, step.id, step.branch, status)
		if step.arrives {
			if err := d.await(ctx); err != nil {
				return err
			}
		}
	}
	// Grapnel drops what GitHub delivers again. The builder must be ready for it all the same: it may have died before its answer.
	messages, err := d.grapnel.ListMessages(ctx, d.source.ID, client.MessageFilter{EventTypes: []string{"push"}}, client.ListOptions{})
	if err != nil {
		return err
	}
	for _, m := range messages.Data {
		if err := d.grapnel.Resend(ctx, d.source.ID, m.ID, d.endpoint); err != nil {
			return err
		}
		if err := d.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// send posts a sample to the source, signed as GitHub does, and gives the status of the answer.
func (d *demo) send(ctx context.Context, name, branch, id, secret string) (int, error) {
	sample, found := provider.FindSample(name)
	if !found {
		return 0, fmt.Errorf("there is no sample %s", name)
	}
	github, err := provider.New("github", provider.Settings{}, provider.Secret{Value: secret})
	if err != nil {
		return 0, err
	}
	now := time.Now()
	push := sample.Request(*d.source.IngestURL, id, now)
	push.Body = []byte(strings.ReplaceAll(string(push.Body), "refs/heads/main", "refs/heads/"+branch))
	if err := github.Sign(&push, id, now); err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, push.Method, push.URL, bytes.NewReader(push.Body))
	if err != nil {
		return 0, err
	}
	req.Header = push.Header
	resp, err := hooks.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}

func (d *demo) await(ctx context.Context) error {
	select {
	case said := <-d.builder.done:
		fmt.Fprintln(d.out, said)
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the builder: %w", ctx.Err())
	}
}

// report prints the builds with their output.
func (d *demo) report(ctx context.Context) error {
	rows, err := d.builder.db.QueryContext(ctx, "SELECT commit_id, state, output FROM builds")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var commit, state, output string
		if err := rows.Scan(&commit, &state, &output); err != nil {
			return err
		}
		fmt.Fprintf(d.out, "build of %s %s: %s\n", commit, state, strings.TrimSpace(output))
	}
	return rows.Err()
}
