package objects

import "reflect"

// Words are metadata: words of ours under names of ours.
type Words map[string]string

// ownWords is how many words of ours an object of ours has at most.
const ownWords = 12

func (r *reader) metadata(w *Words) error {
	*w = nil
	if open, err := r.opens('{', reflect.TypeFor[Words]()); !open {
		return err
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
	_, err := r.in.ReadToken()
	return err
}
