package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
)

// TestMain lets the test binary also be a server that a run starts: the
// forwarder of this program, or fake.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "limit":
			main()
			return
		case "fake":
			log.Fatal(serveFake(os.Args[2], os.Args[3], os.Args[4]))
		}
	}
	os.Exit(m.Run())
}

// fake answers the routes that the adapter uses. In the role api it writes
// what it accepts to a journal; in the role all it sends what a journal
// holds, and then what it accepts, at once.
type fake struct {
	role, journal string

	mu        sync.Mutex          // guards all below
	endpoints map[string][]string // URLs by application
}

// entry is a line of the journal.
type entry struct {
	URL  string
	Body json.RawMessage
}

func serveFake(addr, role, journal string) error {
	f := &fake{role: role, journal: journal, endpoints: map[string][]string{}}
	if b, err := os.ReadFile(journal); err == nil && role == "all" {
		for line := range bytes.Lines(b) {
			var e entry
			if err := json.Unmarshal(line, &e); err != nil {
				return err
			}
			go deliverFake(e)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /api/v1/app", f.createApp)
	mux.HandleFunc("POST /api/v1/app/{app}/endpoint", f.createEndpoint)
	mux.HandleFunc("POST /api/v1/app/{app}/msg", f.publish)
	mux.HandleFunc("POST /api/v1/app/{app}/msg/batch", f.publishBatch)
	return http.ListenAndServe(addr, mux)
}

func (f *fake) createApp(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") == "Bearer wrong-key" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	id := fmt.Sprintf("app_%d", len(f.endpoints))
	f.endpoints[id] = nil
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"id":%q}`, id)
}

func (f *fake) createEndpoint(w http.ResponseWriter, r *http.Request) {
	var in struct{ URL string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	id := r.PathValue("app")
	f.endpoints[id] = append(f.endpoints[id], in.URL)
	w.WriteHeader(http.StatusCreated)
	fmt.Fprint(w, `{"id":"ep_1"}`)
}

type fakeMessage struct {
	EventType string
	EventID   string
	Payload   json.RawMessage
}

func (f *fake) publish(w http.ResponseWriter, r *http.Request) {
	var m fakeMessage
	if json.NewDecoder(r.Body).Decode(&m) != nil || m.EventType == "" || m.EventID == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.take(r.PathValue("app"), m)
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprint(w, `{"id":"msg_1"}`)
}

// publishBatch refuses the events whose id ends in 7.
func (f *fake) publishBatch(w http.ResponseWriter, r *http.Request) {
	var in []fakeMessage
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var results []string
	for _, m := range in {
		if strings.HasSuffix(m.EventID, "7") {
			results = append(results, `{"status":422}`)
			continue
		}
		f.take(r.PathValue("app"), m)
		results = append(results, `{"status":202}`)
	}
	fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(results, ","))
}

func (f *fake) take(app string, m fakeMessage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, u := range f.endpoints[app] {
		e := entry{u, m.Payload}
		if f.role == "all" {
			go deliverFake(e)
		} else if err := e.appendTo(f.journal); err != nil {
			log.Printf("journal: %v", err) // the drain will miss it
		}
	}
}

func (e entry) appendTo(journal string) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(journal, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(append(line, '\n'))
	return err
}

func deliverFake(e entry) {
	req, err := http.NewRequest(http.MethodPost, e.URL, bytes.NewReader(e.Body))
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Webhook-Signature", "v1,x")
	if resp, err := fakeClient.Do(req); err == nil {
		finish(resp)
	}
}

var fakeClient = &http.Client{Transport: tunedTransport(64)}
