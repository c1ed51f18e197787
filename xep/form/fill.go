package form

import (
	"errors"
	"fmt"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
)

// Submit returns the form filled in, to be sent back. Fields that are filled take the place of the defaults; what is
// hidden goes back as it came (§3.3), and what is fixed does not. Filled fields that the form has not are added.
func (f *Form) Submit(filled ...Field) Form {
	s := Form{Type: TypeSubmit}
	rest := slices.Clone(filled)
	for _, field := range f.Fields {
		if field.Type == Fixed || field.Var == "" {
			continue
		}
		answer := Field{Var: field.Var, Type: field.Type, Values: field.Values}
		if i := slices.IndexFunc(rest, func(o Field) bool { return o.Var == field.Var }); i >= 0 {
			if field.Type != Hidden {
				answer.Values = rest[i].Values
			}
			rest = slices.Delete(rest, i, i+1)
		}
		s.Fields = append(s.Fields, answer)
	}
	s.Fields = append(s.Fields, rest...)
	return s
}

// Accept checks what somebody has filled in, for whoever asked for it by f. It returns the fields that f asks for, and no others, each of the
// type that f gives it: what is required is there, a field has no more values than its type allows, what is to be chosen is an option,
// what is to be an address is one, and what is hidden has not been changed. An empty value of a type for which that means nothing is none.
// The error says to people which field is wrong.
func (f *Form) Accept(submitted Form) (Form, error) {
	if submitted.Type != TypeSubmit && submitted.Type != TypeCancel {
		return Form{}, errors.New("form: it is not submitted")
	}
	s := Form{Type: TypeSubmit}
	for i := range f.Fields {
		asked := &f.Fields[i]
		if asked.Type == Fixed || asked.Var == "" {
			continue
		}
		given, there := submitted.Lookup(asked.Var)
		if !there && asked.Type == Hidden {
			given.Values = asked.Values
		}
		values, err := asked.accept(given.Values)
		if err != nil {
			return Form{}, fmt.Errorf("form: field %.40q: %w", asked.Var, err)
		}
		s.Fields = append(s.Fields, Field{Var: asked.Var, Type: asked.Type, Values: values})
	}
	return s, nil
}

var errRequired = errors.New("it is required")

// accept returns the values that count, of those that somebody has given to a field.
func (f *Field) accept(given []string) ([]string, error) {
	if f.Type == Hidden {
		if !slices.Equal(given, f.Values) {
			return nil, errors.New("it is hidden and was changed")
		}
		return given, nil
	}
	empty := func(v string) bool { return v == "" }
	values := given
	if !f.Type.textual() {
		values = slices.DeleteFunc(slices.Clone(given), empty)
	}
	switch {
	case f.Required && !slices.ContainsFunc(values, func(v string) bool { return !empty(v) }):
		return nil, errRequired
	case len(values) > 1 && !f.Type.multi():
		return nil, errors.New("it has several values")
	}
	for _, v := range values {
		if err := f.acceptValue(v); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// acceptValue checks one value (§3.3).
func (f *Field) acceptValue(v string) error {
	switch f.Type {
	case Boolean:
		if v != "0" && v != "1" && v != "true" && v != "false" {
			return errors.New("it is neither true nor false")
		}
	case JIDSingle, JIDMulti:
		if _, err := jid.ParseLenient(v); err != nil {
			return fmt.Errorf("%.100q is no address", v)
		}
	case ListSingle, ListMulti:
		if !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == v }) {
			return fmt.Errorf("%.100q is no option", v)
		}
	}
	return nil
}

// textual reports whether an empty value of the type is one.
func (t FieldType) textual() bool {
	switch t {
	case Boolean, JIDMulti, JIDSingle, ListMulti, ListSingle:
		return false
	}
	return true
}
