package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/config"
)

// maxWait is the longest that a server waits for deliveries.
const maxWait = time.Minute

// waitMargin is how much longer than --wait the whole call may take.
const waitMargin = 10 * time.Second

// sending is one run of grapnel send.
type sending struct {
	*remote
	eventType string
	data      string
	sets      []string
	app       string
	channels  []string
	eventID   string
	once      string
	wait      time.Duration // 0: not
	language  string
	sample    sampling
}

func (a *app) sendCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "send TYPE",
		Short: "Send an event",
		Long: `Send an event to the endpoints of an application that ask for it.

With --wait the command stays until each endpoint has been tried once, prints
what it answered, and ends with 8 if one failed.

PROVIDER/TYPE with --to is a sample event of a provider instead, signed as the
provider signs and sent from here: no server is asked. It ends with 8 if the
answer is not 2xx.`,
		Example: `  grapnel send invoice.paid -d '{"amount":1200}' --wait
  grapnel send invoice.paid -d @invoice.json --set customer.name=Ada --app acme
  grapnel send invoice.paid -d '{"amount":1200}' --print curl
  grapnel send stripe/charge.refunded --to 3000/hooks --secret whsec_x`,
		Args: oneArg("TYPE"),
	}
	s := &sending{remote: a.remoteFlags(cmd)}
	a.outputFlag(cmd)
	f := cmd.Flags()
	f.VarP(text{&s.data, "JSON|@FILE|-"}, "data", "d", "payload; - is stdin (default {})")
	f.Var(texts{&s.sets, "PATH=VALUE", ""}, "set", "put a value into the payload; can be repeated")
	f.Var(text{&s.app, "ID|UID"}, "app", "application (default: the profile's, or the only one)")
	f.Var(texts{&s.channels, "NAME", ","}, "channel", "channel of the event; can be repeated")
	f.Var(text{&s.eventID, "ID"}, "event-id", "your own id of the event; a second one is refused")
	f.Var(text{&s.once, "KEY"}, "idempotency-key", "makes repeated calls send one event")
	f.Var(span{to: &s.wait, least: time.Second, most: maxWait}, "wait", "stay until each endpoint has been tried, at most this long: 1s to 1m")
	f.Lookup("wait").NoOptDefVal, f.Lookup("wait").DefValue = FormatWait, ""
	f.Var(newChoice(&s.language, "", printForms...), "print", "do not send; print the call in this language")
	s.sample.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s.eventType = args[0]
		if done, err := s.sampleInstead(cmd); done {
			return err
		}
		return s.run(cmd.Context())
	}
	return cmd
}

// FormatWait is the time of a --wait without a value.
const FormatWait = "30s"

func (s *sending) run(ctx context.Context) error {
	what := quotedIfOdd(s.eventType) + " cannot be sent"
	in, err := s.message()
	if err != nil {
		return s.failed(ctx, what, err)
	}
	if s.language != "" {
		return s.printOnly(in)
	}
	if s.wait > 0 {
		s.timeout = max(s.timeout, s.wait+waitMargin)
	}
	c, err := s.open()
	if err != nil {
		return s.failed(ctx, what, err)
	}
	if s.app == "" {
		if s.app, err = s.onlyApplication(ctx, c); err != nil {
			return s.failed(ctx, what, err)
		}
	}
	what += " to application " + quotedIfOdd(s.app)
	out, err := c.Publish(ctx, s.app, in, client.PublishOptions{IdempotencyKey: s.once, Wait: s.wait})
	if err != nil {
		return s.failed(ctx, what, err)
	}
	if err := s.print(out, func() error { return s.printResult(out) }, out.ID); err != nil {
		return err
	}
	return s.verdict(out)
}

// message builds the event out of the flags.
func (s *sending) message() (apitype.MessageIn, error) {
	in := apitype.MessageIn{EventType: s.eventType}
	payload, err := s.payload()
	if err != nil {
		return in, err
	}
	in.Payload = payload
	if s.eventID != "" {
		in.EventID = apitype.Some(s.eventID)
	}
	if len(s.channels) > 0 {
		in.Channels = apitype.Some(s.channels)
	}
	return in, nil
}

func (s *sending) payload() (json.RawMessage, error) {
	source, fix := []byte(s.data), `Put it in single quotes: -d '{"id":42}'.`
	var err error
	switch {
	case s.data == "":
		source = []byte("{}")
	case s.data == "-":
		source, err = io.ReadAll(s.In)
		fix = "It is what stdin held."
	case s.data[0] == '@':
		source, err = os.ReadFile(s.data[1:])
		fix = "It is what the file " + s.data[1:] + " holds."
	}
	if err != nil {
		return nil, usage("the payload cannot be read: "+err.Error(), "Give JSON, @FILE, or - for stdin.")
	}
	if why := syntaxOf(source); why != "" {
		return nil, usage("the payload is not JSON: "+why, fix)
	}
	doc, err := setAll(source, s.sets)
	if err != nil {
		return nil, usage("--set: "+err.Error(), "Write --set customer.name=Ada or --set items.0.price=3.")
	}
	return doc, nil
}

// syntaxOf says where a text ends to be JSON and why; empty: it is JSON.
func syntaxOf(source []byte) string {
	var v any
	err := json.Unmarshal(source, &v)
	var syntax *json.SyntaxError
	switch {
	case len(bytes.TrimSpace(source)) == 0:
		return "it is empty"
	case errors.As(err, &syntax):
		return fmt.Sprintf("%s at byte %d", syntax, syntax.Offset)
	case err != nil:
		return err.Error()
	}
	return ""
}

// onlyApplication gives the application to send to if nobody says which.
func (s *sending) onlyApplication(ctx context.Context, c *client.Client) (string, error) {
	if s.saved.App != "" {
		return s.saved.App, nil
	}
	page, err := c.ListApplications(ctx, client.ListOptions{Limit: 5})
	if err != nil {
		return "", err
	}
	switch len(page.Data) {
	case 0:
		return "", &failure{exit: ExitNotFound, code: "no_application", what: "there is no application to send to",
			fix: "Make one first: POST " + s.server + "/api/v1/app, told at " + s.server + "/api/docs."}
	case 1:
		return page.Data[0].ID, nil
	}
	names := make([]string, 0, len(page.Data))
	for _, app := range page.Data {
		if app.UID != nil {
			names = append(names, *app.UID)
		} else {
			names = append(names, app.ID)
		}
	}
	return "", usage("there are several applications", "Name one with --app, such as "+strings.Join(names, ", ")+".")
}

func (s *sending) printResult(out apitype.MessageCreateOut) error {
	p := s.paintFor(s.color, s.OutTerminal)
	t := table{}
	if s.wait == 0 {
		t.add(p.strong(out.ID), out.EventType, "accepted")
		err := t.write(s.Out, "  ")
		s.next(p, "--wait shows what the endpoints answer")
		return err
	}
	t.add(p.strong(out.ID), out.EventType, "→  "+count(len(out.Deliveries), "endpoint"))
	if err := t.write(s.Out, "  "); err != nil {
		return err
	}
	lines := table{}
	for _, d := range out.Deliveries {
		cells := s.deliveryLine(p, d)
		why := lastWords(d, out.Attempts)
		if why != "" && !s.OutTerminal { // who searches in lines finds all in one
			cells = append(cells, why)
		}
		lines.add(cells...)
		if why != "" && s.OutTerminal {
			lines.note("  " + why)
		}
	}
	if err := lines.write(s.Out, "  "); err != nil {
		return err
	}
	s.next(p, "the same call from code: --print "+strings.Join(languages, "|"))
	return nil
}

// next tells a person at a terminal what can be done next.
func (s *sending) next(p paint, what string) {
	if s.OutTerminal && s.ErrTerminal {
		fmt.Fprintln(s.Err, p.quiet("  "+what))
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// milliseconds writes a duration that the server gives in whole milliseconds.
func milliseconds(n int64) string {
	if n == 0 {
		return "<1 ms"
	}
	return fmt.Sprintf("%d ms", n)
}

// deliveryLine gives the cells of one delivery: mark, endpoint, answer, time,
// attempts, and what is next.
func (s *sending) deliveryLine(p paint, d apitype.DeliveryOut) []string {
	name := d.EndpointID
	if d.EndpointUID != nil {
		name = *d.EndpointUID
	}
	answer, took := "no answer", ""
	switch {
	case d.LastStatusCode != nil && *d.LastStatusCode > 0:
		answer = fmt.Sprint(*d.LastStatusCode)
	case d.Attempts == 0:
		answer = "not tried"
	}
	if d.LastDurationMs != nil {
		took = milliseconds(*d.LastDurationMs)
	}
	mark, word := p.wait("●"), "pending"
	switch d.State {
	case apitype.DeliveryDelivered:
		mark, word = p.good(), "delivered"
	case apitype.DeliveryFailed:
		mark, word = p.bad(), "failed"
	case apitype.DeliveryCanceled:
		mark, word = "○", "canceled"
	case apitype.DeliverySending:
		word = "sending"
	case apitype.DeliveryPending:
		if d.Attempts > 0 {
			mark, word = p.bad(), "failed, will be retried"
		}
	}
	if d.Reason != "" && d.State == apitype.DeliveryCanceled {
		word += ": " + d.Reason
	}
	if d.DueAt != nil && d.State == apitype.DeliveryPending && d.Attempts > 0 {
		word += " " + s.due(*d.DueAt)
	}
	return []string{mark + " " + printable(name), answer, took, "attempt " + fmt.Sprint(d.Attempts), word}
}

// due says when the next attempt is: in how long at a terminal, else exactly.
func (s *Streams) due(at time.Time) string {
	if !s.OutTerminal {
		return "at " + s.time(at)
	}
	wait := max(time.Until(at), 0).Round(100 * time.Millisecond)
	if wait > time.Minute {
		wait = wait.Round(time.Second)
	}
	return "in " + wait.String()
}

// lastWords is the first line of what a failed attempt was answered.
func lastWords(d apitype.DeliveryOut, attempts []apitype.MessageAttemptOut) string {
	if d.State == apitype.DeliveryDelivered {
		return ""
	}
	const most = 60
	for i := len(attempts) - 1; i >= 0; i-- {
		at := attempts[i]
		if at.EndpointID != d.EndpointID || at.Response == "" {
			continue
		}
		line, _, _ := strings.Cut(strings.TrimSpace(at.Response), "\n")
		if cut := []rune(line); len(cut) > most {
			line = string(cut[:most]) + "…"
		}
		return printable(line)
	}
	return ""
}

// verdict is no if a delivery failed, or if the time was up before all were tried.
func (s *sending) verdict(out apitype.MessageCreateOut) error {
	if s.wait == 0 {
		return nil
	}
	all := len(out.Deliveries)
	if all == 0 {
		fmt.Fprintf(s.Err, "  No endpoint of application %s asks for %s.\n", printable(s.app), out.EventType)
	}
	bad := 0
	for _, d := range out.Deliveries {
		tried := d.Attempts > 0 && d.State != apitype.DeliveryDelivered
		if tried || d.State == apitype.DeliveryFailed || d.State == apitype.DeliveryCanceled {
			bad++
		}
	}
	f := &failure{exit: ExitNo, code: "not_delivered", what: out.ID + " was accepted, but not delivered everywhere"}
	switch {
	case bad > 0 && all == 1:
		f.what = out.ID + " was accepted, but not delivered"
		f.why = "The endpoint did not take it."
		f.fix = "Look at its answer above; what is retried may still arrive."
	case bad > 0:
		f.why = fmt.Sprintf("%d of %d endpoints did not take it.", bad, all)
		f.fix = "Look at the answers above; what is retried may still arrive."
	case out.WaitExpired != nil && *out.WaitExpired:
		f.why = "Not every endpoint had answered after " + config.FormatDuration(s.wait) + "."
		f.fix = "The deliveries go on; a longer --wait shows more."
	default:
		return nil
	}
	return f
}
