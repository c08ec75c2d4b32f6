package hook

// StoreFigures says how large the store is and what it is.
type StoreFigures struct {
	Kind    string // "sqlite" or "postgres"
	Version string // of the database program
	Schema  int64  // version of the tables
	Size    int64  // bytes of the database
	Free    int64  // bytes in it that nothing uses; -1: not known
	Log     int64  // bytes of the write-ahead log; -1: not known
	Tables  []TableFigures
}

// TableFigures says how large a table is, with its indexes and partitions.
type TableFigures struct {
	Name  string
	Bytes int64 // -1: not known
	Rows  int64 // an estimate; -1: not known
}
