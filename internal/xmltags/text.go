package xmltags

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// appendText appends v as character data.
func (tc *typeCodec) appendText(dst []byte, v reflect.Value) ([]byte, error) {
	if tc.encoded == formString {
		return xmlwire.AppendText(dst, v.String())
	}
	from := len(dst)
	dst, err := tc.appendUnescaped(dst, v)
	if err != nil || tc.encoded.plain() || plain(dst[from:]) {
		return dst, err
	}
	return xmlwire.AppendText(dst[:from], string(dst[from:]))
}

// appendAttr appends v as the attribute f, whose namespace is none or xml.
func (tc *typeCodec) appendAttr(dst []byte, f *field, v reflect.Value) ([]byte, error) {
	if tc.encoded == formString {
		return xmlwire.AppendAttr(dst, f.attr, v.String())
	}
	tag := len(dst)
	dst = append(dst, f.open...)
	from := len(dst)
	dst, err := tc.appendUnescaped(dst, v)
	if err != nil {
		return dst, err
	}
	if tc.encoded.plain() || plain(dst[from:]) {
		return append(dst, '\''), nil
	}
	return xmlwire.AppendAttr(dst[:tag], f.attr, string(dst[from:]))
}

// plain reports whether what has that form never needs an escape.
func (f form) plain() bool { return f >= formInt && f <= formBool }

// plain reports whether b needs no escape anywhere. It may be wrong when it denies.
func plain(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' || c == '&' || c == '<' || c == '>' || c == '\'' {
			return false
		}
	}
	return true
}

// appendUnescaped appends v as text, neither checked nor escaped.
func (tc *typeCodec) appendUnescaped(dst []byte, v reflect.Value) ([]byte, error) {
	switch tc.encoded {
	case formString:
		return append(dst, v.String()...), nil
	case formBytes:
		if v.Kind() == reflect.Slice || v.CanAddr() {
			return append(dst, v.Bytes()...), nil
		}
		for i := range v.Len() {
			dst = append(dst, byte(v.Index(i).Uint()))
		}
		return dst, nil
	case formInt:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case formUint:
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	case formFloat:
		return strconv.AppendFloat(dst, v.Float(), 'g', -1, v.Type().Bits()), nil
	case formBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case formMethod:
		return tc.appendMethod(dst, v)
	}
	return dst, unsupported(tc.t, "written as text")
}

func (tc *typeCodec) appendMethod(dst []byte, v reflect.Value) ([]byte, error) {
	r := receiver(v)
	if !tc.textAppender {
		b, err := r.(encoding.TextMarshaler).MarshalText()
		return append(dst, b...), err
	}
	out, err := r.(encoding.TextAppender).AppendText(dst)
	if err == nil && len(out) < len(dst) {
		err = fmt.Errorf("%s.AppendText took text away", tc.t)
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// setText sets v, as decoded, to the text of n.
func (tc *typeCodec) setText(n xmlwire.Node, v reflect.Value) error {
	text, simple := simpleText(n)
	switch {
	case simple && tc.decoded.plain():
		return setNumber(tc.decoded, v, bytes.TrimSpace(text), len(text) == 0)
	case simple && tc.decoded == formString:
		v.SetString(string(text))
		return nil
	}
	return tc.setString(v, n.Text())
}

// simpleText is the text of n, shared, if n is <name>text</name> and text is what
// it stands for, as most are. It spares Node.Text's looking for more.
func simpleText(n xmlwire.Node) ([]byte, bool) {
	raw := n.Raw()
	start := bytes.IndexByte(raw, '>') + 1
	end := len(raw) - start - len("/") // if the end tag is the start tag and a slash
	if start == 0 || end < start || raw[end] != '<' || raw[end+1] != '/' || !bytes.Equal(raw[end+2:], raw[1:start]) {
		return nil, false
	}
	text := raw[start:end]
	return text, bytes.IndexByte(text, '<') < 0 && bytes.IndexByte(text, '&') < 0
}

// setString sets v, as decoded, to s.
func (tc *typeCodec) setString(v reflect.Value, s string) error {
	switch tc.decoded {
	case formString:
		v.SetString(s)
	case formBytes:
		v.SetBytes([]byte(s))
	case formMethod:
		return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s))
	case formNone:
		return unsupported(tc.t, "read from text")
	default:
		return setNumber(tc.decoded, v, strings.TrimSpace(s), s == "")
	}
	return nil
}

// setNumber sets v, a number or a boolean, to s. What is empty is zero.
func setNumber[T string | []byte](f form, v reflect.Value, s T, empty bool) error {
	if empty {
		v.SetZero()
		return nil
	}
	var err error
	switch f {
	case formInt:
		var n int64
		if n, err = strconv.ParseInt(string(s), 10, v.Type().Bits()); err == nil {
			v.SetInt(n)
		}
	case formUint:
		var n uint64
		if n, err = strconv.ParseUint(string(s), 10, v.Type().Bits()); err == nil {
			v.SetUint(n)
		}
	case formFloat:
		var n float64
		if n, err = strconv.ParseFloat(string(s), v.Type().Bits()); err == nil {
			v.SetFloat(n)
		}
	case formBool:
		var is bool
		if is, err = strconv.ParseBool(string(s)); err == nil {
			v.SetBool(is)
		}
	}
	if err != nil { // which would quote what was received
		if e, ok := errors.AsType[*strconv.NumError](err); ok {
			err = e.Err
		}
		return fmt.Errorf("not of type %s: %w", v.Type(), err)
	}
	return nil
}
