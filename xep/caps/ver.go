package caps

import (
	"cmp"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// The hash functions, by their IANA names. [Register] uses SHA1, the one that everybody has (§9.1): what breaks the scheme
// is how the parts are joined, not the function.
const (
	SHA1   = "sha-1"
	SHA224 = "sha-224"
	SHA256 = "sha-256"
	SHA384 = "sha-384"
	SHA512 = "sha-512"
)

var functions = map[string]func() hash.Hash{
	SHA1: sha1.New, SHA224: sha256.New224, SHA256: sha256.New, SHA384: sha512.New384, SHA512: sha512.New,
}

// The reasons why there is no verification string.
var (
	ErrHash      = errors.New("caps: a hash function that is not known here")
	ErrIllFormed = errors.New("caps: ill-formed") // §5.4
)

// Ver computes the verification string of an answer (§5.1). It fails with [ErrHash], or with [ErrIllFormed] if the answer
// says something twice.
func Ver(info disco.Info, hash string) (string, error) {
	if functions[hash] == nil {
		return "", fmt.Errorf("%w: %.40q", ErrHash, hash)
	}
	a := arrange(info)
	if err := a.check(); err != nil {
		return "", err
	}
	return a.ver(hash), nil
}

// An arranged answer has what goes into the hash, in that order, and nothing else.
type arranged struct {
	identities []disco.Identity
	features   []string
	forms      []dataForm
}

// A dataForm is a form with a hidden FORM_TYPE. Others do not count (§5.4).
type dataForm struct {
	types  []string // the values of FORM_TYPE: one, if all is well
	fields []field
}

type field struct {
	name   string
	values []string
}

// arrange sorts an answer as §5.1 says: byte by byte.
func arrange(info disco.Info) arranged {
	a := arranged{identities: slices.Clone(info.Identities), features: slices.Clone(info.Features)}
	slices.SortFunc(a.identities, func(x, y disco.Identity) int {
		return cmp.Or(cmp.Compare(x.Category, y.Category), cmp.Compare(x.Type, y.Type), cmp.Compare(x.Lang, y.Lang), cmp.Compare(x.Name, y.Name))
	})
	slices.Sort(a.features)
	for _, e := range info.Forms {
		if f, ok := arrangeForm(e); ok {
			a.forms = append(a.forms, f)
		}
	}
	slices.SortStableFunc(a.forms, func(x, y dataForm) int { return cmp.Compare(x.types[0], y.types[0]) })
	return a
}

// arrangeForm is false for a form that does not count.
func arrangeForm(e stanza.Element) (f dataForm, ok bool) {
	for c := range e.Children() {
		if !c.Is(form.NS, "field") {
			continue
		}
		name, values := c.Attr("var"), valuesOf(c)
		if name == "FORM_TYPE" {
			if c.Attr("type") != string(form.Hidden) || len(values) == 0 {
				return dataForm{}, false
			}
			f.types = append(f.types, values...)
			continue
		}
		slices.Sort(values)
		f.fields = append(f.fields, field{name, values})
	}
	slices.SortStableFunc(f.fields, func(x, y field) int { return cmp.Compare(x.name, y.name) })
	return f, len(f.types) > 0
}

func valuesOf(field stanza.Element) (all []string) {
	for v := range field.Children() {
		if v.Is(form.NS, "value") {
			all = append(all, v.Text())
		}
	}
	return all
}

// check reports what makes an answer ill-formed (§5.4, steps 3.3 to 3.5).
func (a *arranged) check() error {
	for i := 1; i < len(a.identities); i++ {
		if a.identities[i] == a.identities[i-1] {
			return fmt.Errorf("%w: an identity twice", ErrIllFormed)
		}
	}
	for i := 1; i < len(a.features); i++ {
		if a.features[i] == a.features[i-1] {
			return fmt.Errorf("%w: a feature twice", ErrIllFormed)
		}
	}
	for i, f := range a.forms {
		if i > 0 && f.types[0] == a.forms[i-1].types[0] {
			return fmt.Errorf("%w: two forms about the same", ErrIllFormed)
		}
		for _, t := range f.types {
			if t != f.types[0] {
				return fmt.Errorf("%w: a form about two things", ErrIllFormed)
			}
		}
	}
	return nil
}

// ver hashes an answer with a function that is known.
func (a *arranged) ver(hash string) string {
	h := functions[hash]()
	part := func(pieces ...string) {
		for _, p := range pieces {
			h.Write([]byte(p))
		}
		h.Write([]byte("<"))
	}
	for _, id := range a.identities {
		part(id.Category, "/", id.Type, "/", id.Lang, "/", id.Name)
	}
	for _, f := range a.features {
		part(f)
	}
	for _, f := range a.forms {
		part(f.types[0])
		for _, field := range f.fields {
			part(field.name)
			for _, v := range field.values {
				part(v)
			}
		}
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// info returns the answer again, without anything that is not in the hash: other forms, names of fields for people, the
// order. It fails for what no form can be: fields without a name, or of the same.
func (a *arranged) info() (disco.Info, error) {
	info := disco.Info{Identities: a.identities, Features: a.features}
	for _, f := range a.forms {
		out := form.New(form.TypeResult, f.types[0])
		for _, field := range f.fields {
			out.Fields = append(out.Fields, form.Field{Var: field.name, Values: field.values})
		}
		e, err := stanza.ElementOf(out)
		if err != nil {
			return disco.Info{}, err
		}
		info.Forms = append(info.Forms, e)
	}
	return info, nil
}

// ambiguous reports whether an answer looks like the reading of another one with the same hash (§9.3). The hash is that of
// the parts, each followed by a <, and does not say where identities end and where forms begin. So an
// attacker can put two parts into one, or give the last features of a client as a form about nothing, and hide them from
// everybody who believes the hash. What honest entities say does not look like that; if it does, only those who
// say it are believed.
func (a *arranged) ambiguous() bool {
	return slices.ContainsFunc(a.identities, ambiguousIdentity) ||
		slices.ContainsFunc(a.features, ambiguousFeature) ||
		slices.ContainsFunc(a.forms, ambiguousForm) ||
		a.continued()
}

// joined reports whether a part may be two.
func joined(s string) bool { return strings.Contains(s, "<") }

func ambiguousIdentity(id disco.Identity) bool {
	return strings.ContainsAny(id.Category+id.Type+id.Lang, "/<") || joined(id.Name)
}

// ambiguousFeature reports whether a feature may be an identity.
func ambiguousFeature(f string) bool {
	parts := strings.SplitN(f, "/", 4)
	return joined(f) || len(parts) == 4 && parts[0] != "" && parts[1] != ""
}

// ambiguousForm reports whether a form may be features, or those of its parts that it begins with may be: what forms are about has
// a colon in it, as a URI; fields have none, unless all of it is in Clark's notation (XEP-0068 §3.3, §3.4).
func ambiguousForm(f dataForm) bool {
	if joined(f.types[0]) || !strings.Contains(f.types[0], ":") || len(f.fields) == 0 {
		return true
	}
	for _, field := range f.fields {
		if joined(field.name) || strings.Contains(field.name, ":") && !strings.HasPrefix(field.name, "{") {
			return true
		}
		if slices.ContainsFunc(field.values, joined) {
			return true
		}
	}
	return false
}

// continued reports whether the first form begins as the list of features would go on.
func (a *arranged) continued() bool {
	if len(a.forms) == 0 {
		return false
	}
	about, last := a.forms[0].types[0], ""
	if len(a.features) > 0 {
		last = a.features[len(a.features)-1]
	}
	return about > last && a.forms[0].fields[0].name > about // there is a field: see ambiguousForm
}
