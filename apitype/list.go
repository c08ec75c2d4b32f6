package apitype

// List is one page of a list.
type List[T any] struct {
	Data         []T     `json:"data" nullable:"false" doc:"The rows of this page, in the order of the list. Empty, never null."`
	Iterator     *string `json:"iterator" doc:"Pass it as the query parameter iterator to get the next page. The id (for event types the name) of the last row here, also when done; null only for an empty page."`
	PrevIterator *string `json:"prevIterator,omitempty" doc:"Pass it as iterator to get the page before this one: a minus sign and the id of the first row here."`
	Done         bool    `json:"done" doc:"True if nothing follows in the direction that was asked for."`
}

// Ordering is the direction of a list.
type Ordering string

// The two directions of a list: by id, so by time of creation.
const (
	Ascending  Ordering = "ascending"
	Descending Ordering = "descending"
)

// Empty is the answer {} of calls that have nothing to tell.
type Empty struct{}
