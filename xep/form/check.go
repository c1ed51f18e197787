package form

import (
	"errors"
	"fmt"
)

// check reports which rule of the XEP a form breaks.
func (f *Form) check() error {
	switch f.Type {
	case TypeForm, TypeSubmit, TypeResult:
	case TypeCancel:
		if len(f.Fields) > 0 {
			return errors.New("form: a cancel form has no fields")
		}
	default:
		return fmt.Errorf("form: no type %.20q", f.Type)
	}
	if len(f.Reported) > 0 || len(f.Items) > 0 {
		if err := f.checkItems(); err != nil {
			return err
		}
	}
	return checkFields(f.Fields)
}

// checkItems checks a result with several items (§3.4).
func (f *Form) checkItems() error {
	switch {
	case f.Type != TypeResult:
		return errors.New("form: only a result has items")
	case len(f.Fields) > 0:
		return errors.New("form: items and other fields")
	case len(f.Reported) == 0:
		return errors.New("form: items, and nothing says what they are")
	}
	if err := checkFields(f.Reported); err != nil {
		return err
	}
	for _, item := range f.Items {
		if err := checkFields(item); err != nil {
			return err
		}
		has := make(map[string]bool, len(item))
		for i := range item {
			has[item[i].Var] = true
		}
		for i := range f.Reported {
			if !has[f.Reported[i].Var] {
				return fmt.Errorf("form: an item without %.40q", f.Reported[i].Var)
			}
		}
	}
	return nil
}

// checkFields checks fields that stand together.
func checkFields(fields []Field) error {
	seen := make(map[string]bool, len(fields))
	for i := range fields {
		name := fields[i].Var
		if name != "" && seen[name] {
			return fmt.Errorf("form: two fields %.40q", name)
		}
		seen[name] = true
		if err := fields[i].check(); err != nil {
			return fmt.Errorf("form: field %.40q: %w", name, err)
		}
	}
	return nil
}

// check reports which rule a field breaks (§3.2, §3.3).
func (f *Field) check() error {
	list := f.Type == ListSingle || f.Type == ListMulti
	switch {
	case f.Type != "" && !f.Type.valid():
		return fmt.Errorf("no type %.20q", f.Type)
	case f.Var == "" && f.Type != Fixed:
		return errors.New("it has no name")
	case len(f.Values) > 1 && !f.Type.multi():
		return errors.New("several values")
	case len(f.Options) > 0 && !list:
		return errors.New("options of what is no list")
	}
	values, labels := make(map[string]bool), make(map[string]bool)
	for _, o := range f.Options {
		if values[o.Value] || o.Label != "" && labels[o.Label] {
			return errors.New("two options that are the same")
		}
		values[o.Value], labels[o.Label] = true, true
	}
	return nil
}

// multi reports whether a field of the type may have several values. Of a type that goes without saying, only who
// knows the form can tell.
func (t FieldType) multi() bool {
	switch t {
	case "", ListMulti, JIDMulti, TextMulti, Hidden:
		return true
	}
	return false
}
