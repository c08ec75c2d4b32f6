package sqlite

import "context"

// deletedEndpoints forgets endpoints that were deleted before the oldest kept
// message came. What explain and the lists of a message show of them is gone by then.
func (s *slice) deletedEndpoints() (bool, error) {
	if s.keep.Messages <= 0 {
		return false, nil
	}
	keys, err := s.keys(`SELECT seq FROM (SELECT seq FROM endpoints INDEXED BY endpoints_deleted
	    WHERE deleted IS NOT NULL AND deleted < ? ORDER BY deleted LIMIT ?) AS page
	  WHERE NOT EXISTS (SELECT 1 FROM deliveries d INDEXED BY deliveries_endpoint WHERE d.endpoint = page.seq)
	    AND NOT EXISTS (SELECT 1 FROM attempts a INDEXED BY attempts_endpoint WHERE a.endpoint = page.seq)`,
		s.now.Add(-s.keep.Messages), lookRows)
	if err != nil {
		return false, err
	}
	for _, endpoint := range keys {
		if _, err := s.exec(`DELETE FROM endpoint_revisions WHERE endpoint = ?`, endpoint); err != nil {
			return false, err
		}
		if _, err := s.exec(`DELETE FROM rollups WHERE app = (SELECT app FROM endpoints WHERE seq = ?1) AND endpoint = ?1`, endpoint); err != nil {
			return false, err
		}
		if _, err := s.exec(`DELETE FROM endpoints WHERE seq = ?`, endpoint); err != nil {
			return false, err
		}
	}
	return len(keys) == lookRows, nil
}

// deletedApplications forgets those whose messages and endpoints are all gone.
func (s *slice) deletedApplications() (bool, error) {
	if s.keep.Messages <= 0 {
		return false, nil
	}
	keys, err := s.keys(`SELECT seq FROM (SELECT seq FROM applications INDEXED BY applications_deleted
	    WHERE deleted IS NOT NULL AND deleted < ? ORDER BY deleted LIMIT ?) AS page
	  WHERE NOT EXISTS (SELECT 1 FROM messages m INDEXED BY messages_app WHERE m.app = page.seq)
	    AND NOT EXISTS (SELECT 1 FROM endpoints e INDEXED BY endpoints_app WHERE e.app = page.seq)`,
		s.now.Add(-s.keep.Messages), lookRows)
	if err != nil {
		return false, err
	}
	for _, app := range keys {
		if left, err := s.requestsOf(app); err != nil || left {
			return left, err
		}
		if _, err := s.exec(`DELETE FROM rollups WHERE app = ?`, app); err != nil {
			return false, err
		}
		if _, err := s.exec(`DELETE FROM api_keys WHERE app = (SELECT id FROM applications WHERE seq = ?)`, app); err != nil {
			return false, err
		}
		if _, err := s.exec(`DELETE FROM applications WHERE seq = ?`, app); err != nil {
			return false, err
		}
	}
	return len(keys) == lookRows, nil
}

// vacuum gives a few free pages back to the file system, but for a reserve.
func (s *slice) vacuum() (bool, error) {
	var free int64
	if _, err := s.w.conn.one(context.Background(), `PRAGMA freelist_count`, nil, func(r *row) error {
		free = r.int(0)
		return nil
	}); err != nil || free <= freeKept {
		return false, err
	}
	_, err := s.w.conn.exec(vacuumSome)
	s.rows += vacuumPages
	return true, err
}
