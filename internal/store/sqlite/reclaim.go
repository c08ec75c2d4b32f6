package sqlite

import "context"

// reclaimSome is how much one operation of Reclaim gives back.
const reclaimSome = `PRAGMA incremental_vacuum(4096)`

// Reclaim gives every free page back to the file system.
func (s *Store) Reclaim(ctx context.Context) error {
	for free, before := int64(-1), int64(0); free != 0 && free != before; {
		before = free
		if err := s.write(ctx, func(c *conn) (err error) {
			if free, err = number(ctx, c, `PRAGMA freelist_count`); err != nil || free == 0 {
				return err
			}
			_, err = c.exec(reclaimSome)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// Size is the length of the file in bytes, as soon as what is in its log is in it.
func (s *Store) Size(ctx context.Context) (bytes int64, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		pages, err := number(ctx, c, `PRAGMA page_count`)
		if err != nil {
			return err
		}
		size, err := number(ctx, c, `PRAGMA page_size`)
		bytes = pages * size
		return err
	})
	return bytes, err
}

// number gives the one number that a statement gives.
func number(ctx context.Context, c *conn, query string) (n int64, err error) {
	_, err = c.one(ctx, query, nil, func(r *row) error {
		n = r.int(0)
		return nil
	})
	return n, err
}
