package objects

import "reflect"

// Words are metadata: words of ours under names of ours.
type Words map[string]string

// ownWords is how many words of ours an object of ours has at most.
const ownWords = 12

func (r *reader) metadata(w *Words) error {
	token, err := r.in.ReadToken()
	if err != nil {
		return err
	}
	*w = nil
	switch token.Kind() {
	case 'n':
		return nil
	case '{':
	default:
		return r.wrong(token.Kind(), reflect.TypeFor[Words](), nil)
	}
	words := Words{}
	if r.in.PeekKind() == '"' {
		words = make(Words, ownWords)
	}
	for r.in.PeekKind() != '}' {
		name, err := r.in.ReadValue()
		if err != nil {
			return err
		}
		key := r.word(name)
		value, err := r.in.ReadValue()
		if err != nil {
			return err
		}
		switch value.Kind() {
		case '"':
			words[key] = r.word(value)
		case 'n':
			words[key] = ""
		default:
			return r.wrong(value.Kind(), reflect.TypeFor[string](), nil)
		}
	}
	*w = words
	_, err = r.in.ReadToken()
	return err
}
