package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

// languages are those of --print.
var languages = []string{"curl", "go", "node", "python"}

// call is a publish as a program makes it.
type call struct {
	url  string
	body string // JSON, one line or as it was given
	once string
}

// printOnly prints the call instead of making it. That needs no key.
func (s *sending) printOnly(in apitype.MessageIn) error {
	if s.output != formatTable {
		return usage("--print gives the text of a program, for which there is no -o "+s.output, "Give one of the two.")
	}
	if err := s.resolve(); err != nil {
		return err
	}
	if s.app == "" {
		s.app = s.saved.App
	}
	if s.app == "" {
		return usage("the application of the call is not known", "Name it with --app.")
	}
	return s.printCall(in, s.wait)
}

// printCall writes the exact call in the chosen language. The key is read from
// the environment there too: a printed key ends up in histories and chats.
func (s *sending) printCall(in apitype.MessageIn, wait time.Duration) error {
	body, err := client.EncodeMessage(in)
	if err != nil {
		return err
	}
	c := call{
		url:  strings.TrimRight(s.server, "/") + "/api/v1/app/" + url.PathEscape(s.app) + "/msg",
		body: string(bytes.TrimSpace(body)), once: s.once,
	}
	if wait > 0 {
		c.url += "?wait=" + strconv.Itoa(int((wait+time.Second-1)/time.Second))
	}
	switch s.language {
	case "curl":
		err = c.curl(s.Out)
	case "go":
		err = c.golang(s.Out, s.server, s.app, in, wait)
	case "node":
		err = c.node(s.Out)
	case "python":
		err = c.python(s.Out)
	}
	if err == nil && s.ErrTerminal {
		fmt.Fprintln(s.Err, "# set GRAPNEL_API_KEY first; nothing was sent")
	}
	return err
}

func (c call) curl(w io.Writer) error {
	once := ""
	if c.once != "" {
		once = "  -H " + shellQuote("Idempotency-Key: "+c.once) + " \\\n"
	}
	_, err := fmt.Fprintf(w, "curl %s \\\n  -H \"Authorization: Bearer $GRAPNEL_API_KEY\" \\\n  -H 'Content-Type: application/json' \\\n%s  -d %s\n",
		shellQuote(c.url), once, shellQuote(c.body))
	return err
}

func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func (c call) golang(w io.Writer, server, app string, in apitype.MessageIn, wait time.Duration) error {
	var extra, options strings.Builder
	if v, ok := in.EventID.Get(); ok {
		fmt.Fprintf(&extra, "\n\t\tEventID:   apitype.Some(%q),", v)
	}
	if v, ok := in.Channels.Get(); ok {
		fmt.Fprintf(&extra, "\n\t\tChannels:  apitype.Some(%#v),", v)
	}
	if c.once != "" {
		fmt.Fprintf(&options, "IdempotencyKey: %q", c.once)
	}
	imports := ""
	if wait > 0 {
		if options.Len() > 0 {
			options.WriteString(", ")
		}
		fmt.Fprintf(&options, "Wait: %d * time.Second", int((wait+time.Second-1)/time.Second))
		imports = "\n\t\"time\""
	}
	_, err := fmt.Fprintf(w, `package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"%s

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

func main() {
	c, err := client.New(%q, os.Getenv("GRAPNEL_API_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	out, err := c.Publish(context.Background(), %q, apitype.MessageIn{
		EventType: %q,
		Payload:   json.RawMessage(%s),%s
	}, client.PublishOptions{%s})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.ID)
}
`, imports, server, app, in.EventType, goQuote(string(in.Payload)), extra.String(), options.String())
	return err
}

func goQuote(text string) string {
	if strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

func (c call) node(w io.Writer) error {
	once := ""
	if c.once != "" {
		once = "\n    \"Idempotency-Key\": " + jsonQuote(c.once) + ","
	}
	_, err := fmt.Fprintf(w, `const answer = await fetch(%s, {
  method: "POST",
  headers: {
    Authorization: "Bearer " + process.env.GRAPNEL_API_KEY,
    "Content-Type": "application/json",%s
  },
  body: %s,
});
console.log(answer.status, await answer.json());
`, jsonQuote(c.url), once, jsonQuote(c.body))
	return err
}

func (c call) python(w io.Writer) error {
	once := ""
	if c.once != "" {
		once = "\n        \"Idempotency-Key\": " + jsonQuote(c.once) + ","
	}
	_, err := fmt.Fprintf(w, `import os
import urllib.request

request = urllib.request.Request(
    %s,
    data=%s.encode(),
    headers={
        "Authorization": "Bearer " + os.environ["GRAPNEL_API_KEY"],
        "Content-Type": "application/json",%s
    },
)
with urllib.request.urlopen(request) as answer:
    print(answer.status, answer.read().decode())
`, jsonQuote(c.url), jsonQuote(c.body), once)
	return err
}

// jsonQuote gives a string literal that JavaScript and Python read alike.
func jsonQuote(text string) string {
	b, err := json.Marshal(text) // escapes everything that is not plain ASCII markup
	if err != nil {
		return `""`
	}
	return string(b)
}
