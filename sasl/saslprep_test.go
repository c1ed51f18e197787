package sasl

import "testing"

func TestRFC4013_3_Examples(t *testing.T) {
	for _, tt := range []struct{ in, want string }{ // want "" is an error
		{"I\u00adX", "IX"},
		{"user", "user"},
		{"USER", "USER"},
		{"\u00aa", "a"},
		{"\u2168", "IX"},
		{"\u0007", ""},

		{"", ""},
		{"\xff", ""},
		{" ~", " ~"},
		{"pass\u00a0word", "pass word"},
		{"pass\u3000word", "pass word"},
		{"pass\u200bword", "password"},
		{"\u00ad\u200d\ufe0f", ""},
		{"\u00bd", "1\u20442"}, // RFC 5802 §2.2 asks for these two
		{"\u00b4", " \u0301"},
		{"e\u0301", "\u00e9"},
		{"\uff11", "1"},
		{"\ufb01", "fi"},
		{"\u007f", ""},
		{"\u0085", ""},
		{"\u070f", ""},
		{"\u2028", ""},
		{"\ue000", ""},
		{"\U000f0000", ""},
		{"\ufdd0", ""},
		{"\uffff", ""},
		{"\U0010ffff", ""},
		{"\ufffd", ""},
		{"\u2ff0", ""},
		{"\u200e", ""},
		{"\u0340", "\u0300"}, // prohibited (C.8), but gone after normalization
		{"\u202e", ""},
		{"\U000e0001", ""},

		// Accepted against SASLprep, as PRECIS does.
		{"\u0627\u0031", "\u0627\u0031"}, // the bidi example of §3
		{"\u05e9\u05dc\u05d5\u05dd1", "\u05e9\u05dc\u05d5\u05dd1"},
		{"\U0001f600", "\U0001f600"},
	} {
		if got, err := prepare(tt.in); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("prepare(%+q) = %+q, %v; want %+q", tt.in, got, err, tt.want)
		}
	}
}

func FuzzPrepare(f *testing.F) {
	for _, s := range []string{"", "user", "I\u00adX", "\u2168", "\u200b", "\ufb01\u0301", "\u0627\u0031", "\xff", "\ufdfa"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := prepare(s)
		if err != nil {
			return
		}
		if twice, err := prepare(once); twice != once || err != nil {
			t.Errorf("prepare(%+q) = %+q, and again %+q, %v", s, once, twice, err)
		}
	})
}
