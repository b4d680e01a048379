// Checks a signed note with the note package of golang.org/x/mod, the library
// that defines the format, and the cosignatures of C2SP tlog-cosignature by the
// rules of that specification: notes NOTE VKEY...  Prints the name of each key
// whose signature is right; fails if one of them is missing.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// A cosigner is the verifier of cosignatures, keys of type 4.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }

func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s",
		binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

func verifier(vkey string) (note.Verifier, error) {
	part := strings.SplitN(vkey, "+", 3)
	if len(part) != 3 {
		return nil, fmt.Errorf("no vkey: %s", vkey)
	}
	key, err := base64.StdEncoding.DecodeString(part[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return note.NewVerifier(vkey)
	}
	hash, err := strconv.ParseUint(part[1], 16, 32)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(part[0]+"\n"), key...))
	if uint32(hash) != binary.BigEndian.Uint32(sum[:]) {
		return nil, fmt.Errorf("wrong key hash: %s", vkey)
	}
	return cosigner{part[0], uint32(hash), key[1:]}, nil
}

func check(file string, vkeys []string) error {
	msg, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var known []note.Verifier
	for _, k := range vkeys {
		v, err := verifier(strings.TrimSpace(k))
		if err != nil {
			return err
		}
		known = append(known, v)
	}
	n, err := note.Open(msg, note.VerifierList(known...))
	if err != nil {
		return err
	}
	for _, v := range known {
		found := false
		for _, s := range n.Sigs {
			found = found || s.Name == v.Name() && s.Hash == v.KeyHash()
		}
		if !found {
			return fmt.Errorf("no signature of %s", v.Name())
		}
		fmt.Println(v.Name())
	}
	return nil
}

func main() {
	if err := check(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
