package xmlwire

import (
	"errors"
	"fmt"
	"io"
)

// A phase is what part of a document a Reader expects.
type phase uint8

const (
	atDocument phase = iota // an XML declaration, or what may follow it
	atRoot                  // blanks, then the root's start tag
	inRoot                  // first-level elements
	atRootEnd               // nothing: the root was an empty-element tag
	afterRoot               // nothing but blanks
)

// Reader reads one document at a time, as an XMPP stream is: a header, then
// first-level elements. It belongs to one goroutine.
//
// It holds the element in progress and what the source gave with it, so it needs
// as much memory as its [Limits] let an element have. What it returns is lent from
// there, so that a stanza which is only routed is neither copied nor allocated.
// While it waits for an element to begin it holds next to nothing.
type Reader struct {
	src    io.Reader
	srcErr error // what src returned along with the last bytes
	asked  Limits
	lim    Limits // asked, with the defaults
	doc    document
	scan   *scanner // nil unless an element is in progress or lent
	win    window
	phase  phase
	inElem bool   // scan has begun
	again  bool   // the document follows another on the same source
	err    *Error // the document failed
	lent   []byte // the element returned last, if its end is to be noticed
}

// NewReader returns a Reader for a document that begins with the next byte of
// src. It reads ahead: what the source has to offer beyond the element asked for
// may be [Reader.Buffered] afterwards.
func NewReader(src io.Reader, limits Limits) *Reader {
	r := &Reader{src: src}
	r.SetLimits(limits)
	return r
}

// SetLimits replaces the limits, as when a peer has logged in. They apply at
// once, to the unread rest of an element in progress too.
func (r *Reader) SetLimits(limits Limits) {
	if limits != r.asked || r.lim.Bytes == 0 {
		r.asked, r.lim = limits, limits.withDefaults()
	}
	if r.scan != nil {
		r.scan.lim = r.lim
	}
}

// Reset makes r read a new document from src. All that is buffered is dropped,
// as it must be when TLS starts: it came before the handshake (RFC 6120
// §5.4.3.3). Reset returns how many bytes that were, blanks included.
func (r *Reader) Reset(src io.Reader) (discarded int) {
	r.reclaim()
	discarded = r.win.len()
	r.src, r.srcErr, r.err = src, nil, nil
	r.win.drop()
	r.giveBack()
	r.restart(false)
	return discarded
}

// Restart makes r read a new document from the same source, beginning with what
// is buffered: a client may send its next header right behind the last element
// of SASL. White space before an XML declaration is accepted here, as it belongs
// to the document that has ended (RFC 6120 §6.3.5, §11.7).
//
// It is to be called between elements. It does not bring back a document that was
// refused, of which nothing is left.
func (r *Reader) Restart() {
	if r.err == nil {
		r.restart(true)
	}
}

func (r *Reader) restart(again bool) {
	r.phase, r.inElem, r.again = atDocument, false, again
	r.win.offset = 0
}

// Buffered is the number of bytes that were read from the source and are not
// part of anything that was returned.
func (r *Reader) Buffered() int { return r.win.len() }

// Next returns the next first-level element, whole and checked. It is lent until
// the next call of a method of r.
//
// Blanks before it are skipped; they need no memory. The error is
//   - io.EOF when the end tag of the root was read. A call after that reads on:
//     io.EOF again when the source ends, an error if anything but blanks comes;
//   - io.ErrUnexpectedEOF when the source ends without that tag;
//   - an [*Error] for XML that is refused. All further calls return it too, until
//     [Reader.Reset];
//   - or else the source's error, wrapped. It loses no bytes: after a timeout (the
//     error is a net.Error then, as the source's) call again to go on.
func (r *Reader) Next() (*Element, error) {
	r.reclaim()
	if r.err != nil {
		return nil, r.err
	}
	switch r.phase {
	case atDocument, atRoot:
		return nil, errNoHeader
	case atRootEnd:
		r.phase = afterRoot
		return nil, io.EOF
	case afterRoot:
		return nil, r.end()
	}
	for {
		if !r.inElem && !r.seek(badFormat, strayText) && r.err != nil {
			return nil, r.err
		}
		if r.inElem {
			switch done := r.advance(); {
			case done && r.scan.isRootEnd:
				r.win.consume(r.scan.pos)
				r.phase = afterRoot
				return nil, io.EOF
			case done:
				return r.take()
			case r.err != nil:
				return nil, r.err
			}
		}
		if err := r.fill(); err != nil {
			return nil, unexpected(err)
		}
	}
}

// errNoHeader is a programmer's slip.
var errNoHeader = errors.New("xmlwire: Next before Header")

// end reads what follows the root.
func (r *Reader) end() error {
	for {
		if r.skipBlanks(); r.win.len() > 0 {
			if err := stray(r.win.bytes(), notWellFormed, "content after the root (XML §2.1)"); err != nil {
				return r.fail(err)
			}
		}
		if err := r.fill(); err == io.EOF && r.win.len() > 0 {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
	}
}

// seek skips blanks and begins to scan what comes then. It returns false if that
// is missing or, when it is no markup, r.err is set.
func (r *Reader) seek(condition, detail string) bool {
	b := r.win.bytes()
	if len(b) == 0 || b[0] != '<' {
		r.skipBlanks()
		b = r.win.bytes()
	}
	switch {
	case len(b) == 0:
		return false
	case b[0] == '<':
		if r.scan == nil {
			r.scan = scanners.Get().(*scanner)
			r.scan.lim, r.scan.doc, r.scan.fresh = r.lim, &r.doc, true
		}
		r.scan.begin(r.phase != inRoot)
		r.inElem = true
		return true
	}
	if err := stray(b, condition, detail); err != nil {
		r.fail(err)
	}
	return false
}

// advance scans what has arrived of the element in progress.
func (r *Reader) advance() (done bool) {
	b, _ := head(r.win.bytes(), r.lim.Bytes)
	if r.scan.pos <= len(b) { // it is not when the limit was lowered meanwhile
		done = r.scan.scan(b)
	}
	if done {
		r.inElem = false
		return true
	}
	switch {
	case r.scan.err != nil:
		r.fail(r.scan.err)
	case len(b) >= r.lim.Bytes:
		r.fail(&Error{Condition: policyViolation, Detail: "element too long", Offset: int64(r.lim.Bytes)})
	}
	return false
}

// take returns the element that was scanned.
func (r *Reader) take() (*Element, error) {
	n := r.scan.pos
	if err := r.scan.finish(r.win.bytes()[:n]); err != nil {
		return nil, r.fail(err)
	}
	r.win.consume(n)
	if poison {
		r.lent = r.scan.out.Raw
	}
	return &r.scan.out, nil
}

// fail makes err, whose offset is from the start of the window, what r returns
// from now on.
func (r *Reader) fail(err *Error) error {
	err.Offset += r.win.offset
	r.err = err
	r.win.drop()
	r.giveBack()
	return err
}

func (r *Reader) skipBlanks() { r.win.consume(skipBlanks(r.win.bytes(), 0)) }

// fill waits for more bytes from the source.
func (r *Reader) fill() error {
	if !r.inElem {
		r.giveBack()
	} else if r.scan.memo != nil {
		r.scan.release()
	}
	n := 0
	if r.srcErr == nil {
		n = r.pull()
	}
	if err := r.srcErr; n == 0 {
		r.srcErr = nil
		return sourceFailed(err)
	}
	return nil
}

// Await returns when there is something that Next may return: at once within an element, otherwise when bytes have come or the source
// has failed. Whoever waits long does it here, rather than in Next, on a small stack.
func (r *Reader) Await() {
	if r.err != nil || r.phase != inRoot || r.inElem || r.srcErr != nil || r.win.len() > 0 {
		return
	}
	r.reclaim()
	r.giveBack()
	r.pull()
}

// pull reads bytes from the source and returns how many came. If there were none, srcErr says why.
func (r *Reader) pull() (n int) {
	room := r.win.room(r.lim.Bytes)
	for range maxEmptyReads {
		n, r.srcErr = r.src.Read(room)
		if n < 0 || n > len(room) {
			n, r.srcErr = 0, errBadRead
			return 0
		}
		if n > 0 {
			r.win.extend(n)
		}
		if n > 0 || r.srcErr != nil {
			return n
		}
	}
	r.srcErr = io.ErrNoProgress
	return 0
}

// maxEmptyReads is how often a source may return neither bytes nor an error.
const maxEmptyReads = 100

var errBadRead = errors.New("xmlwire: source returned an impossible count")

// unexpected turns the end of the source into what it is before the end of the root.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// sourceError is an error of the source. It is a net.Error as far as the source's is.
type sourceError struct{ err error }

func sourceFailed(err error) error {
	switch err {
	case io.EOF, io.ErrUnexpectedEOF, io.ErrNoProgress, errBadRead:
		return err
	}
	return &sourceError{err}
}

func (e *sourceError) Error() string { return fmt.Sprintf("xmlwire: read: %v", e.err) }
func (e *sourceError) Unwrap() error { return e.err }

// Timeout reports whether the source may have more later.
func (e *sourceError) Timeout() bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](e.err)
	return ok && t.Timeout()
}

// Temporary exists for [net.Error].
func (e *sourceError) Temporary() bool { return e.Timeout() }
