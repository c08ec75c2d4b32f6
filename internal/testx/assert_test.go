package testx_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// observed is a test that keeps what it was failed with.
type observed struct {
	testing.TB
	failure string
}

func (o *observed) Helper() {}

func (o *observed) Fatalf(format string, args ...any) {
	o.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failureOf runs an assertion and gives what it failed with, "" if it held.
func failureOf(t *testing.T, assert func(testing.TB)) string {
	o := &observed{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		assert(o)
	}()
	<-done
	return o.failure
}

type thing struct {
	Name  string
	At    time.Time
	Tags  []string
	Body  []byte
	Inner *thing
	Words map[string]string
	id    hook.ID
}

func TestDiffNamesEachPlaceThatDiffers(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	full := func() thing {
		return thing{"a", noon, []string{"x", "y"}, []byte("b"), &thing{Name: "in"}, map[string]string{"k": "v"}, hook.ID{1}}
	}
	for name, c := range map[string]struct {
		change func(*thing)
		want   []string // parts of the text; none: no difference
	}{
		"nothing":                {func(*thing) {}, nil},
		"another zone":           {func(x *thing) { x.At = noon.In(time.FixedZone("", 3600)) }, nil},
		"another moment":         {func(x *thing) { x.At = noon.Add(time.Microsecond) }, []string{"At:", "12:00:00.000001Z"}},
		"a string":               {func(x *thing) { x.Name = "b" }, []string{"Name:", `- "b"`, `+ "a"`}},
		"an element":             {func(x *thing) { x.Tags[1] = "z" }, []string{"Tags[1]:"}},
		"a length":               {func(x *thing) { x.Tags = x.Tags[:1] }, []string{"Tags:", "1:", "2:"}},
		"bytes":                  {func(x *thing) { x.Body = []byte{0} }, []string{"Body:", `"\x00"`}},
		"behind a pointer":       {func(x *thing) { x.Inner.Name = "out" }, []string{"Inner.Name:"}},
		"a pointer gone":         {func(x *thing) { x.Inner = nil }, []string{"Inner:"}},
		"a value of a map":       {func(x *thing) { x.Words["k"] = "w" }, []string{`Words["k"]:`}},
		"a key of a map":         {func(x *thing) { delete(x.Words, "k") }, []string{`Words["k"]:`, "(nothing)"}},
		"what is not exported":   {func(x *thing) { x.id[19] = 1 }, []string{"id:"}},
		"two places":             {func(x *thing) { x.Name, x.Body = "", nil }, []string{"Name:", "Body:"}},
		"empty instead of none":  {func(x *thing) { x.Inner.Tags, x.Inner.Words = []string{}, map[string]string{} }, nil},
		"a byte more than shown": {func(x *thing) { x.Body = []byte(strings.Repeat("b", 900)) }, []string{"Body:"}},
	} {
		got, want := full(), full()
		c.change(&got)
		d := testx.Diff(got, want)
		if (d == "") != (len(c.want) == 0) {
			t.Errorf("%s: the difference is %q", name, d)
		}
		for _, part := range c.want {
			if !strings.Contains(d, part) {
				t.Errorf("%s: %q is not in %q", name, part, d)
			}
		}
	}
	if testx.Diff(1, "1") == "" || testx.Diff(nil, 1) == "" || testx.Diff(nil, nil) != "" {
		t.Error("values of different types are not told apart")
	}
}

func TestAssertionsFailWhenTheyShould(t *testing.T) {
	t.Parallel()
	refused := fmt.Errorf("wrapped: %w", hook.NotFound("thing"))
	for name, c := range map[string]struct {
		assert func(testing.TB)
		want   string // part of the failure; "": it holds
	}{
		"equal holds":         {func(tb testing.TB) { testx.Equal(tb, 1, 1) }, ""},
		"equal fails":         {func(tb testing.TB) { testx.Equal(tb, 1, 2, "the count") }, "the count differs"},
		"no error holds":      {func(tb testing.TB) { testx.NoError(tb, nil) }, ""},
		"no error fails":      {func(tb testing.TB) { testx.NoError(tb, errors.New("boom")) }, "boom"},
		"must gives":          {func(tb testing.TB) { testx.Equal(tb, testx.Must(1, nil)(tb), 1) }, ""},
		"must fails":          {func(tb testing.TB) { testx.Must(1, errors.New("boom"))(tb) }, "boom"},
		"true holds":          {func(tb testing.TB) { testx.True(tb, true, "x") }, ""},
		"true fails":          {func(tb testing.TB) { testx.True(tb, false, "the sky is green") }, "the sky is green"},
		"code holds":          {func(tb testing.TB) { testx.Code(tb, refused, hook.CodeNotFound) }, ""},
		"code: another":       {func(tb testing.TB) { testx.Code(tb, refused, hook.CodeConflict) }, `want "conflict"`},
		"code: none":          {func(tb testing.TB) { testx.Code(tb, nil, hook.CodeConflict) }, "no error"},
		"code: internal":      {func(tb testing.TB) { testx.Code(tb, errors.New("boom"), hook.CodeConflict) }, "boom"},
		"receive: closed":     {func(tb testing.TB) { testx.Receive(tb, closed(), "a value") }, "the channel is closed"},
		"eventually: ended":   {func(tb testing.TB) { testx.Eventually(tb, closed(), func() bool { return false }, "x") }, "nothing will change"},
		"eventually: already": {func(tb testing.TB) { testx.Eventually(tb, closed(), func() bool { return true }, "x") }, ""},
	} {
		got := failureOf(t, c.assert)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: failed with %q, want %q", name, got, c.want)
		}
	}
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func TestWaitingForNothingEndsTheTest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		for name, assert := range map[string]func(testing.TB){
			"Receive":    func(tb testing.TB) { testx.Receive(tb, never, "a value") },
			"Closed":     func(tb testing.TB) { testx.Closed(tb, never, "a channel") },
			"Eventually": func(tb testing.TB) { testx.Eventually(tb, never, func() bool { return false }, "a state") },
		} {
			if failureOf(t, assert) == "" {
				t.Errorf("%s held", name)
			}
		}
	})
}

func TestEventuallyAsksAgainAfterEachSign(t *testing.T) {
	t.Parallel()
	signs := make(chan int)
	go func() {
		for i := range 3 {
			signs <- i
		}
	}()
	asked := 0
	testx.Eventually(t, signs, func() bool { asked++; return asked == 4 }, "four questions")
	testx.Equal(t, asked, 4)
	testx.Closed(t, closed(), "a closed channel")
}
