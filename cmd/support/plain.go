package main

import (
	"errors"

	"github.com/united24media/support/internal/fault"
)

// plain returns what an error says to people, if it is of a known kind.
func plain(err error) error {
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return errors.New(known.Detail)
	}
	return err
}
