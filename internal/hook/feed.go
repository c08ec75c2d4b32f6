package hook

// FeedKind says what a feed is about.
type FeedKind uint8

// The feeds.
const (
	FeedMessages FeedKind = iota // messages as they are accepted
	FeedAttempts                 // attempts as they are recorded
)

// FeedKinds lists every feed once.
var FeedKinds = []FeedKind{FeedMessages, FeedAttempts}

// String gives the word for the feed.
func (k FeedKind) String() string {
	if k == FeedAttempts {
		return "attempts"
	}
	return "messages"
}

// Cursor is a place in a feed: everything before it was given. Only the store
// that gave it can tell what it means, but that Commit grows from commit to commit; the
// zero value is the beginning of what is kept.
type Cursor struct {
	Commit int64 // the commit
	Within ID    // the last one given of that commit; zero: all of it
}

// FeedItem is one entry of a feed, in the order of commits: unlike ids, which
// may become visible out of order, nothing ever appears before a cursor that was
// given out.
type FeedItem struct {
	Message  ID
	Attempt  ID // of FeedAttempts
	Endpoint ID // of FeedAttempts
	App      ID
	Env      ID
}

// FeedPage is what comes after a cursor.
type FeedPage struct {
	Items []FeedItem
	Next  Cursor // for the next call; the same as before if there was nothing
	More  bool   // there is more already
}
