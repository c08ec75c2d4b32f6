package move

import "context"

// Compare shows compare.
func Compare(ctx context.Context, want Contents, in Source) error {
	_, err := compare(ctx, want, in, nil)
	return err
}

// ResealBatch is how many endpoints go in one transaction.
const ResealBatch = resealBatch
