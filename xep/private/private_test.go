package private_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/private"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// Prefs are the settings of a client.
type prefs struct {
	Nick string
}

func (p prefs) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start("exodus:prefs", "exodus")
	w.Element("", "defaultnick", p.Nick)
	w.End()
	return w.Bytes()
}

func (*prefs) PayloadName() xml.Name { return xml.Name{Space: "exodus:prefs", Local: "exodus"} }

func (p *prefs) ParseXML(e stanza.Element) error {
	p.Nick = e.Child("exodus:prefs", "defaultnick").Text()
	return nil
}

// The calls of a client, as a server sees them.
func TestXEP0049_2_3_Transcripts(t *testing.T) {
	xmpptest.Play(t, "testdata/calls/*.xmpp", func(ctx context.Context, s xmpp.Session) error {
		if err := private.Set(ctx, s, prefs{"Hamlet"}); err != nil {
			return err
		}
		var p prefs
		if err := private.Decode(ctx, s, &p); err != nil || p.Nick != "Hamlet" {
			return fmt.Errorf("%v, %w", p, err)
		}
		if e, err := private.Get(ctx, s, xml.Name{Space: "storage:bookmarks", Local: "storage"}); err == nil {
			return fmt.Errorf("got %s, which is something else", e)
		}
		if err := private.Delete(ctx, s, p.name()); !errors.Is(err, stanza.NotAcceptable) || err.Error() != `private: set exodus in "exodus:prefs": not-acceptable` {
			return err
		}
		if private.Set(ctx, s) == nil || private.Set(ctx, s, prefs{"\x00"}) == nil || private.Delete(ctx, s, xml.Name{Space: "a", Local: "<"}) == nil {
			return errors.New("what cannot be sent")
		}
		_, err := private.Get(ctx, s, xml.Name{Space: "a", Local: " "})
		if err == nil {
			return errors.New("what cannot be asked for")
		}
		return nil
	})
}

func (p *prefs) name() xml.Name { return p.PayloadName() }

// FuzzQuery: whatever a query holds goes out as it came in.
func FuzzQuery(f *testing.F) {
	f.Add([]byte(`<query xmlns='jabber:iq:private'><exodus xmlns="exodus:prefs"><defaultnick>Hamlet</defaultnick></exodus><a xmlns='b'/></query>`))
	f.Add([]byte(`<query><a/></query>`))
	f.Add([]byte(`<query xmlns='jabber:iq:private'><x/>text<y xmlns=''/><z xmlns='jabber:client'/></query>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		read, again := xmpptest.RoundTrip[private.Query](t, string(b))
		if read == nil {
			return
		}
		require.NotNil(t, again)
		require.Equal(t, len(read.Elements), len(again.Elements))
		for i := range read.Elements {
			require.Equal(t, read.Elements[i].Name(), again.Elements[i].Name())
		}
	})
}

// start starts a server with the module, and logs in.
func start(t *testing.T, opts *private.ServerOptions, change ...func(*server.Options)) (*xmpptest.Server, xmpp.Session) {
	t.Helper()
	o := &server.Options{InsecurePlaintext: true, Modules: []module.Module{private.Server(opts)}, Storage: memory.New(),
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, f := range change {
		f(o)
	}
	s := xmpptest.StartFor(t, o)
	return s, s.Dial(t, "hamlet", nil)
}

// ask sends a query that a client of ours would not.
func ask(t *testing.T, s xmpp.Session, typ stanza.IQType, content string) (string, error) {
	t.Helper()
	e, err := stanza.ParseElement([]byte("<query xmlns='jabber:iq:private'>" + content + "</query>"))
	require.NoError(t, err)
	result, err := s.Query(t.Context(), stanza.IQ{Type: typ, Payload: e})
	if err != nil || result.Payload == nil {
		return "", err
	}
	var q private.Query
	require.NoError(t, result.Decode(&q))
	var out strings.Builder
	for _, e := range q.Elements {
		out.WriteString(e.String())
	}
	return out.String(), nil
}

// §2.3: what was kept comes back as it was; what was not is an empty element.
func TestXEP0049_2_3_SetAndGet(t *testing.T) {
	s, hamlet := start(t, nil)
	info, err := disco.GetInfo(t.Context(), hamlet, hamlet.RemoteAddr(), "")
	require.NoError(t, err)
	require.True(t, info.Has("jabber:iq:private"))

	get := func(content string) string {
		t.Helper()
		got, err := ask(t, hamlet, stanza.IQGet, content)
		require.NoError(t, err)
		return got
	}
	require.Equal(t, "<exodus xmlns='exodus:prefs'/>", get("<exodus xmlns='exodus:prefs' a='b'>c</exodus>"))
	_, err = ask(t, hamlet, stanza.IQSet, "<exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick>\n <p:x xmlns:p='urn:x' p:y='1'/></exodus><other xmlns='exodus:prefs'>x</other><exodus xmlns='urn:other' xml:lang='da'/>")
	require.NoError(t, err)
	kept := "<exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick>\n <x xmlns='urn:x' xmlns:p='urn:x' p:y='1'/></exodus>"
	require.Equal(t, kept, get("<exodus xmlns='exodus:prefs'/>"))
	require.Equal(t, kept+"<no xmlns='exodus:prefs'/><other xmlns='exodus:prefs'>x</other>", get("<exodus xmlns='exodus:prefs'/><no xmlns='exodus:prefs'/><other xmlns='exodus:prefs'/>"))
	require.Equal(t, "<exodus xmlns='urn:other' xml:lang='da'/>", get("<exodus xmlns='urn:other'/>"))

	require.NoError(t, private.Set(t.Context(), hamlet, prefs{"Yorick"}))
	var p prefs
	require.NoError(t, private.Decode(t.Context(), s.Dial(t, "hamlet", nil), &p))
	require.Equal(t, "Yorick", p.Nick)
	require.NoError(t, private.Delete(t.Context(), hamlet, p.PayloadName()))
	require.NoError(t, private.Decode(t.Context(), hamlet, &p))
	require.Empty(t, p.Nick)
}

// §2.3, §3: what is refused.
func TestXEP0049_3_Errors(t *testing.T) {
	_, hamlet := start(t, nil)
	for _, typ := range []stanza.IQType{stanza.IQGet, stanza.IQSet} {
		for _, content := range []string{"", "<exodus/>", "<exodus xmlns=''/>", "<exodus xmlns='jabber:client'/>", "<exodus xmlns='exodus:prefs'/><exodus/>",
			"<exodus xmlns='exodus:prefs'/><exodus xmlns='exodus:prefs'>x</exodus>", "<exodus xmlns='" + strings.Repeat("x", 600) + "'/>"} {
			_, err := ask(t, hamlet, typ, content)
			require.ErrorIs(t, err, stanza.NotAcceptable, content)
		}
	}
	_, err := ask(t, hamlet, stanza.IQGet, "<exodus xmlns='exodus:prefs'/><exodus xmlns='urn:other'/>")
	require.ErrorIs(t, err, stanza.BadRequest)
}

// §2.3, §4: nobody else reads or changes it.
func TestXEP0049_4_OtherAccounts(t *testing.T) {
	s, hamlet := start(t, nil)
	require.NoError(t, private.Set(t.Context(), hamlet, prefs{"Hamlet"}))
	macbeth := s.Dial(t, "macbeth", nil)
	require.NoError(t, s.AddContact(t.Context(), hamlet.LocalAddr().Bare(), macbeth.LocalAddr().Bare()))
	for _, typ := range []stanza.IQType{stanza.IQGet, stanza.IQSet} {
		e, err := stanza.ElementOf(prefs{"Macbeth"})
		require.NoError(t, err)
		_, err = macbeth.Query(t.Context(), stanza.IQ{Type: typ, To: hamlet.LocalAddr().Bare(), Payload: private.Query{Elements: []stanza.Element{e}}})
		require.ErrorIs(t, err, stanza.ServiceUnavailable)
	}
	var p prefs
	require.NoError(t, private.Decode(t.Context(), macbeth, &p))
	require.Empty(t, p.Nick)

	// Nor does who comes to have the address later.
	addr := hamlet.LocalAddr().Bare()
	require.NoError(t, s.DeleteAccount(t.Context(), addr))
	require.NoError(t, s.CreateAccount(t.Context(), addr, "b4lc0ny"))
	opts := s.Options(addr)
	opts.Password = "b4lc0ny"
	fortinbras, err := client.Dial(t.Context(), addr, opts)
	require.NoError(t, err)
	defer fortinbras.Close(t.Context())
	require.NoError(t, private.Decode(t.Context(), fortinbras, &p))
	require.Empty(t, p.Nick)
}

// What an account keeps is bounded.
func TestSec_PrivateLimits(t *testing.T) {
	_, hamlet := start(t, &private.ServerOptions{Elements: 2, Bytes: 1000})
	x := func(n, size int) string {
		return fmt.Sprintf("<x xmlns='urn:%d'>%s</x>", n, strings.Repeat("x", size))
	}
	for _, tt := range []struct {
		content string
		want    error
	}{
		{x(1, 400), nil},
		{x(2, 800), stanza.ResourceConstraint},
		{x(1, 300), nil},
		{x(2, 600), nil},
		{x(3, 1), stanza.ResourceConstraint},
		{"<x xmlns='urn:3'/>", nil}, // takes no room
		{"<x xmlns='urn:1'/>", nil}, // makes some
		{x(3, 1), nil},
	} {
		_, err := ask(t, hamlet, stanza.IQSet, tt.content)
		require.ErrorIs(t, err, tt.want, "%.40s", tt.content)
	}
	_, err := server.New(&server.Options{Domains: []string{"a.example"}, InsecurePlaintext: true, Modules: []module.Module{private.Server(&private.ServerOptions{Bytes: -1})}})
	require.ErrorContains(t, err, "-1 bytes")
}

// broken is a store that fails.
type broken struct{ storage.Documents }

var errDown = errors.New("the database is down")

func (broken) Get(_ context.Context, _ storage.AccountID, _, name string) ([]byte, error) {
	if strings.HasPrefix(name, "damaged ") {
		return []byte("<damaged"), nil
	}
	return nil, errDown
}

func (broken) Set(context.Context, storage.AccountID, string, string, []byte, storage.DocumentLimits) error {
	return errDown
}

// A store that fails is not an empty one.
func TestStoreFails(t *testing.T) {
	_, hamlet := start(t, nil, func(o *server.Options) { o.Storage.Documents = broken{o.Storage.Documents} })
	require.ErrorIs(t, private.Set(t.Context(), hamlet, prefs{"Hamlet"}), stanza.InternalServerError)
	require.ErrorIs(t, private.Decode(t.Context(), hamlet, new(prefs)), stanza.InternalServerError)
	_, err := ask(t, hamlet, stanza.IQGet, "<damaged xmlns='urn:x'/>")
	require.ErrorIs(t, err, stanza.InternalServerError)
}
