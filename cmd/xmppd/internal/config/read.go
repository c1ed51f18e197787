package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// A file is the file as it is written. What is nil is not there.
type file struct {
	Data       *string
	Storage    *string
	Drain      *string
	Log        *string
	LogLevel   *string `toml:"log_level"`
	Mechanisms *[]string
	Listen     struct {
		C2S     *[]string `toml:"c2s"`
		C2STLS  *[]string `toml:"c2s_tls"`
		Metrics *[]string
	}
	Contact struct{ Abuse, Admin, Feedback, Sales, Security, Status, Support []string }
	Host    []struct {
		Domain       *string
		Cert         *string
		Key          *string
		Registration *string
		Admins       []string
	}
	Limits struct {
		StanzaBytes        *int64 `toml:"stanza_bytes"`
		SessionsPerAccount *int64 `toml:"sessions_per_account"`
		RateBytesPerSecond *int64 `toml:"rate_bytes_per_second"`
	}
}

// keys are all that a file may have, with the tables that they are in.
var keys = []string{
	"data", "storage", "drain", "log", "log_level", "mechanisms",
	"listen", "listen.c2s", "listen.c2s_tls", "listen.metrics",
	"contact", "contact.abuse", "contact.admin", "contact.feedback", "contact.sales", "contact.security", "contact.status", "contact.support",
	"host", "host.domain", "host.cert", "host.key", "host.registration", "host.admins",
	"limits", "limits.stanza_bytes", "limits.sessions_per_account", "limits.rate_bytes_per_second",
}

// Load reads a file. What is wrong in it is [Errors]. Relative names in it are relative to its folder.
func Load(name string) (*Config, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		remedy := "say which file is meant by -config or $XMPPD_CONFIG"
		if errors.Is(err, fs.ErrPermission) {
			remedy = "let the user that runs xmppd read it"
		}
		return nil, Errors{{File: name, Problem: "it cannot be read: " + err.Error(), Remedy: remedy, cause: err}}
	}
	return parse(name, text)
}

// parse reads the text of a file.
func parse(name string, text []byte) (*Config, error) {
	text = bytes.TrimPrefix(text, []byte("\uFEFF")) // which editors of Windows begin a file with
	c := initial()
	c.File, c.lines = name, linesOf(text)
	var f file
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, c.undecoded(err)
	}
	problems := c.take(&f)
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b *Error) int { return a.Line - b.Line })
		return nil, problems
	}
	return c, nil
}

// undecoded makes an error of the file of one of the decoder.
func (c *Config) undecoded(err error) error {
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var all Errors
		for _, e := range unknown.Errors {
			line, _ := e.Position()
			all = append(all, &Error{File: c.File, Line: line, Key: strings.Join(e.Key(), "."), Problem: "there is no such key", Remedy: meant(e.Key())})
		}
		return all
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := e.Position()
		problem := strings.TrimPrefix(e.Error(), "toml: ")
		remedy := "see https://toml.io for how a file is written"
		if of, ok := strings.CutPrefix(problem, "cannot decode TOML "); ok { // and how this program is written inside
			of, _, _ = strings.Cut(of, " into ")
			problem, remedy = "it is of the wrong type: "+of, "write "+form(strings.Join(e.Key(), "."))
		}
		return Errors{{File: c.File, Line: line, Key: strings.Join(e.Key(), "."), Problem: problem, Remedy: remedy}}
	}
	return Errors{{File: c.File, Problem: err.Error()}}
}

// form is how a key is written.
func form(key string) string {
	switch key {
	case "listen.c2s", "listen.c2s_tls", "listen.metrics":
		return `a list of addresses, such as ["127.0.0.1:5222"]`
	case "host.admins":
		return `a list of addresses, such as ["juliet@capulet.example"]`
	case "contact.abuse", "contact.admin", "contact.feedback", "contact.sales", "contact.security", "contact.status", "contact.support":
		return `a list of URIs, such as ["mailto:abuse@capulet.example"]`
	case "mechanisms":
		return `a list of SASL mechanisms, such as ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]`
	case "limits.stanza_bytes", "limits.sessions_per_account", "limits.rate_bytes_per_second":
		return "a number, such as 262144"
	case "host":
		return "[[host]] on a line of its own, and the keys of the host below it"
	case "listen", "limits", "contact":
		return "[" + key + "] on a line of its own, and its keys below it"
	}
	return "a text in quotation marks"
}

// meant says what somebody meant who wrote a key that there is not.
func meant(key toml.Key) string {
	full, last := strings.Join(key, "."), key[len(key)-1]
	for _, k := range keys { // the right key in the wrong table
		table, name, nested := strings.Cut(k, ".")
		switch {
		case nested && name == last:
			return fmt.Sprintf("it belongs below %s", header(table))
		case !nested && k == last && len(key) > 1 && k != "host":
			return fmt.Sprintf("%s belongs at the top of the file, above the first [", k)
		}
	}
	var known []string
	table := strings.TrimSuffix(full, last)
	for _, k := range keys {
		if rest, ok := strings.CutPrefix(k, table); ok && !strings.Contains(rest, ".") {
			known = append(known, rest)
		}
	}
	if near := nearest(last, known); near != "" {
		return fmt.Sprintf("did you mean %s?", table+near)
	}
	return "there are " + strings.Join(known, ", ")
}

// header is how a table is begun.
func header(table string) string {
	if table == "host" {
		return "[[host]]"
	}
	return "[" + table + "]"
}

// in makes a name that is relative to the folder of the file one that is not.
func (c *Config) in(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(c.File), name)
}
