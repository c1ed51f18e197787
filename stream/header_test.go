package stream

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
)

// TestC4_7_ReceivingHeader shows what a receiving entity answers to a header.
func TestC4_7_ReceivingHeader(t *testing.T) {
	const ns = namespaces
	answer := func(attrs string) string {
		return xmlDecl + "<stream:stream from='im.example.com'" + attrs + ns
	}
	for _, tt := range []struct {
		name, header, want string
		err                Condition // empty: the stream goes on
	}{
		{
			name:   "C4.7.1 the from of the client comes back as to, bare (C4.7.2)",
			header: "<stream:stream from='juliet@im.example.com/balcony' to='im.example.com' version='1.0'" + ns,
			want:   answer(" to='juliet@im.example.com' id='$id' version='1.0' xml:lang='en'") + startTLSOnly,
		}, {
			name:   "C4.7.2 no from, no to",
			header: "<stream:stream to='IM.Example.COM' version='1.0'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + startTLSOnly,
		}, {
			name:   "C4.7.3 the id of the client is ignored",
			header: "<stream:stream id='evil' to='im.example.com' version='1.0'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + startTLSOnly,
		}, {
			name:   "C4.7.4 xml:lang is ours",
			header: "<stream:stream xml:lang='de-CH' to='im.example.com' version='1.0'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + startTLSOnly,
		}, {
			name:   "C4.7.4 xml:lang is that of the client, where we speak it",
			header: "<stream:stream xml:lang='en' to='im.example.com' version='1.0'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + startTLSOnly,
		}, {
			name:   "C4.7.4 xml:lang is close to that of the client",
			header: "<stream:stream xml:lang='en-GB' to='im.example.com' version='1.0'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + startTLSOnly,
		}, {
			name:   "C4.7.5 the lower version",
			header: "<stream:stream to='im.example.com' version='1.13'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + startTLSOnly,
		}, {
			name:   "C4.7.5 leading zeros",
			header: "<stream:stream to='im.example.com' version='01.000'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + startTLSOnly,
		}, {
			name:   "C4.7.5 no version is 0.9: no features",
			header: "<stream:stream to='im.example.com'" + ns,
			want:   answer(" id='$id' xml:lang='en'"),
		}, {
			name:   "C4.7.5 0.10 is higher than 0.9 and lower than 1.0",
			header: "<stream:stream to='im.example.com' version='0.10'" + ns,
			want:   answer(" id='$id' version='0.10' xml:lang='en'"),
		}, {
			name:   "C4.9.3.25 a major version from the future",
			header: "<stream:stream to='im.example.com' version='11.0'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + failedWith(UnsupportedVersion),
			err:    UnsupportedVersion,
		}, {
			name:   "C4.9.3.25 no version at all",
			header: "<stream:stream to='im.example.com' version='one'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + failedWith(UnsupportedVersion),
			err:    UnsupportedVersion,
		}, {
			name:   "C4.8.1 wrong stream namespace, C4.9.1.2",
			header: "<stream:stream from='juliet@im.example.com' to='im.example.com' version='1.0' xmlns='jabber:client' xmlns:stream='http://wrong.namespace.example.org/'>",
			want:   answer(" to='juliet@im.example.com' id='$id' version='1.0' xml:lang='en'") + failedWith(InvalidNamespace),
			err:    InvalidNamespace,
		}, {
			name:   "C4.8.1 no namespace",
			header: "<stream to='im.example.com' version='1.0'>",
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + failedWith(InvalidNamespace),
			err:    InvalidNamespace,
		}, {
			name:   "C4.9.3.1 another root",
			header: "<stream:flood to='im.example.com' version='1.0'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + failedWithText(BadFormat, "the root is not a stream"),
			err:    BadFormat,
		}, {
			name:   "C4.8.3 unsupported content namespace",
			header: "<stream:stream to='im.example.com' version='1.0' xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>",
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + failedWith(InvalidNamespace),
			err:    InvalidNamespace,
		}, {
			name:   "C4.8.5 another prefix",
			header: "<s:stream to='im.example.com' version='1.0' xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>",
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + startTLSOnly,
		}, {
			name:   "C4.8.2 the stream namespace as the default one",
			header: "<stream to='im.example.com' version='1.0' xmlns='http://etherx.jabber.org/streams'>",
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + startTLSOnly,
		}, {
			name:   "C4.9.1.3 unknown host: from is a name of our own",
			header: "<stream:stream from='juliet@unknown.example' to='unknown.example' version='1.0'" + ns,
			want:   answer(" to='juliet@unknown.example' id='$id' version='1.0' xml:lang='en'") + failedWith(HostUnknown),
			err:    HostUnknown,
		}, {
			name:   "C4.7.2 without to the default host is meant",
			header: "<stream:stream version='1.0'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + startTLSOnly,
		}, {
			name:   "C4.9.3.7 to is no address",
			header: "<stream:stream to='im example com' version='1.0'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + failedWith(ImproperAddressing),
			err:    ImproperAddressing,
		}, {
			name:   "C4.9.3.7 to is not a domain",
			header: "<stream:stream to='juliet@im.example.com' version='1.0'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + failedWith(ImproperAddressing),
			err:    ImproperAddressing,
		}, {
			name:   "C4.9.3.7 from is no address",
			header: "<stream:stream from='@' to='im.example.com' version='1.0'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + failedWith(ImproperAddressing),
			err:    ImproperAddressing,
		}, {
			name:   "C11.3 not well-formed",
			header: "<stream:stream to='im.example.com' to='im.example.com'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + "<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>",
			err:    NotWellFormed,
		}, {
			name:   "C11.1 a document type",
			header: "<!DOCTYPE x><stream:stream to='im.example.com'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + "<stream:error><restricted-xml xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>",
			err:    RestrictedXML,
		}, {
			name:   "C11.6 another encoding",
			header: "<?xml version='1.0' encoding='UTF-16'?><stream:stream to='im.example.com'" + ns,
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + "<stream:error><unsupported-encoding xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>",
			err:    UnsupportedEncoding,
		}, {
			name:   "C13.12 a header without end",
			header: "<stream:stream to='im.example.com' x='" + strings.Repeat("x", 10_000),
			want:   answer(" id='$id' version='1.0' xml:lang='en'") + "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>",
			err:    PolicyViolation,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, done := negotiating(t, false, receiving(t))
			go func() { _ = p.trySend(tt.header) }()
			p.expect(tt.want)
			if len(p.bound["id"]) < 20 || p.bound["id"] == "evil" {
				t.Errorf("stream id %q", p.bound["id"])
			}
			if tt.err == "" { // nothing but what was expected comes before the end
				root, _, _ := strings.Cut(strings.TrimPrefix(tt.header, "<"), " ")
				p.send("</" + root + ">")
				p.expect(closingTag)
				p.expectEnd()
				return
			}
			require.NoError(t, p.nc.Close())
			wantError(t, (<-done).err, tt.err)
		})
	}
}

// TestC4_9_1_3_NoName: a server that has no name to give says so.
func TestC4_9_1_3_NoName(t *testing.T) {
	cfg := receiving(t)
	cfg.DefaultHost = jid.JID{}
	cfg.Hosts = func(jid.JID) bool { return false }
	for _, tt := range []struct {
		to  string
		err Condition
	}{
		{" to='unknown.example'", HostUnknown},
		{"", ImproperAddressing},
	} {
		p, done := negotiating(t, false, cfg)
		p.send("<stream:stream" + tt.to + " version='1.0'" + namespaces)
		p.expect(xmlDecl + "<stream:stream from='' id='$id' version='1.0' xml:lang='en'" + namespaces + failedWith(tt.err))
		p.expectEnd()
		wantError(t, (<-done).err, tt.err)
	}
}

// TestC4_7_InitiatingHeader shows what an initiating entity makes of the answer
// to its header.
func TestC4_7_InitiatingHeader(t *testing.T) {
	const opens = xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces
	for _, tt := range []struct {
		name, answer string
		says         string // what the initiating entity says then
		err          error
	}{
		{
			name:   "C4.7.1 from is not told before TLS",
			answer: serverOpens + startTLSOnly,
			says:   "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
		}, {
			name:   "C4.8.5 another prefix",
			answer: "<s:stream from='im.example.com' id='1' version='1.0' xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'><s:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></s:features>",
			says:   "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
		}, {
			name:   "C4.8.2 no prefix",
			answer: "<stream id='1' version='1.0' xmlns='http://etherx.jabber.org/streams'><features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></features>",
			says:   "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
		}, {
			name:   "C4.8.1 wrong stream namespace",
			answer: "<stream:stream id='1' version='1.0' xmlns='jabber:client' xmlns:stream='urn:wrong'>",
			says:   failedWith(InvalidNamespace),
			err:    InvalidNamespace,
		}, {
			name:   "C4.8.3 wrong content namespace",
			answer: "<stream:stream id='1' version='1.0' xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>",
			says:   failedWith(InvalidNamespace),
			err:    InvalidNamespace,
		}, {
			name:   "C4.7.5 a server of the past",
			answer: "<stream:stream id='1'" + namespaces + "<message/>",
			says:   failedWith(UnsupportedVersion),
			err:    UnsupportedVersion,
		}, {
			name:   "C4.7.5 a server of the past that waits for us",
			answer: "<stream:stream id='1'" + namespaces,
			says:   failedWith(UnsupportedVersion),
			err:    UnsupportedVersion,
		}, {
			name:   "C4.9.1.2 an error during setup, from another name and without a version",
			answer: "<stream:stream id='1' from='other.example'" + namespaces + failedWith(HostUnknown),
			says:   closingTag,
			err:    HostUnknown,
		}, {
			name:   "C4.3.2 something else than features",
			answer: serverOpens + "<message/>",
			says:   failedWithText(UnsupportedStanzaType, "no stream features"),
			err:    UnsupportedStanzaType,
		}, {
			name:   "C4.4 the server closes",
			answer: serverOpens + closingTag,
			says:   closingTag,
		}, {
			name:   "S6 no TLS",
			answer: serverOpens + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
			says:   closingTag,
			err:    ErrNoTLS,
		}, {
			name:   "C11.1 a comment",
			answer: serverOpens + "<!-- -->",
			says:   "<stream:error><restricted-xml xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>",
			err:    RestrictedXML,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, done := negotiating(t, true, initiating())
			p.expect(opens)
			go func() { _ = p.trySend(strings.ReplaceAll(tt.answer, "$id", "1")) }()
			p.expect(tt.says)
			require.NoError(t, p.nc.Close())
			if got := <-done; got.c != nil || got.err == nil || tt.err != nil && !errors.Is(got.err, tt.err) {
				t.Errorf("Initiate = %v, %v; want %v", got.c, got.err, tt.err)
			}
		})
	}
}

// TestC13_7_2_From: after TLS a server that says it is another one is not believed.
func TestC13_7_2_From(t *testing.T) {
	p, done := negotiating(t, true, initiating())
	p.expect(xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces)
	p.send("<stream:stream from='whatever.example' id='1' version='1.0'" + namespaces + startTLSOnly)
	p.expect("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	p.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	p.startTLS(false)
	p.expect(xmlDecl + "<stream:stream from='juliet@im.example.com' to='im.example.com' version='1.0' xml:lang='en'" + namespaces)
	p.send("<stream:stream from='whatever.example' id='2' version='1.0'" + namespaces + "<stream:features/>")
	p.expect(failedWith(InvalidFrom))
	require.NoError(t, p.nc.Close())
	wantError(t, (<-done).err, InvalidFrom)
}

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]*Config{
		"nil":       nil,
		"no domain": {Features: []Feature{StartTLS{}}},
		"full JID":  {Domain: juliet, Features: []Feature{StartTLS{}}},
		"language":  {Domain: example, Lang: "\x00", Features: []Feature{StartTLS{}}},
		"no TLS":    {Domain: example},
	} {
		p, done := negotiating(t, true, cfg)
		if got := <-done; got.err == nil || !strings.HasPrefix(got.err.Error(), "stream: ") {
			t.Errorf("%s: error = %v", name, got.err)
		}
		p.expectEnd()
	}
	p, done := negotiating(t, false, &Config{Features: []Feature{StartTLS{}}})
	require.Error(t, (<-done).err)
	p.expectEnd()
}

func TestParseVersion(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want version
		ok   bool
	}{
		{"1.0", version{1, 0}, true},
		{"6.01", version{6, 1}, true},
		{"2.13", version{2, 13}, true},
		{"12.3", version{12, 3}, true},
		{"99999999999999999999.0", version{1 << 30, 0}, true},
		{in: "1"}, {in: ""}, {in: "1."}, {in: ".1"}, {in: "1.0.0"}, {in: "-1.0"}, {in: "+1.0"}, {in: "1,0"}, {in: " 1.0"},
	} {
		if got, ok := parseVersion(tt.in); ok != tt.ok || ok && got != tt.want {
			t.Errorf("parseVersion(%q) = %v, %v; want %v, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
	// RFC 6120 §4.7.5: "XMPP 2.4" < "XMPP 2.13" < "XMPP 12.3".
	if !(version{2, 4}).less(version{2, 13}) || !(version{2, 13}).less(version{12, 3}) || (version{1, 0}).less(version{1, 0}) {
		t.Error("versions are not compared as numbers")
	}
}
