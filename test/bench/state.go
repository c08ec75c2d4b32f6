package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// state is what one process of a measurement leaves for the next.
type state struct {
	Plan  plan
	Run   string // the events of preload bear it
	Acked bitset // events that preload got acknowledged
	Due   int64  // deliveries they must cause

	Adapter json.RawMessage // the ids that set-up was given
}

// readState also hands the adapter its part.
func readState(file string, ad adapter) (state, error) {
	var s state
	b, err := os.ReadFile(file)
	if err != nil {
		return s, fmt.Errorf("state: %w", err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("state in %s: %w", file, err)
	}
	if err := json.Unmarshal(s.Adapter, ad); err != nil {
		return s, fmt.Errorf("state of the adapter in %s: %w", file, err)
	}
	return s, nil
}

func (s *state) write(file string, ad adapter) error {
	var err error
	if s.Adapter, err = json.Marshal(ad); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return os.WriteFile(file, b, 0o600)
}

// fits refuses to measure p on a set-up made for something else.
func (s *state) fits(p plan) error {
	if s.Plan.Apps != p.Apps || s.Plan.Endpoints != p.Endpoints {
		return fmt.Errorf("the state was made for %d applications of %d endpoints, not %d of %d",
			s.Plan.Apps, s.Plan.Endpoints, p.Apps, p.Endpoints)
	}
	return nil
}
