package deliver

// fifo is a queue. The zero value is empty.
type fifo[T any] struct {
	items []T
	head  int
}

// Push appends v.
func (q *fifo[T]) Push(v T) {
	if q.head > 64 && q.head*2 > len(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, v)
}

// Pop takes the oldest; the queue must not be empty.
func (q *fifo[T]) Pop() T {
	var zero T
	v := q.items[q.head]
	q.items[q.head] = zero
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return v
}

// Peek gives the oldest without taking it; the queue must not be empty.
func (q *fifo[T]) Peek() *T { return &q.items[q.head] }

// Len is how many are waiting.
func (q *fifo[T]) Len() int { return len(q.items) - q.head }
