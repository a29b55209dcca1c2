// Judges what this crate makes by the code of the Go project: golang.org/x/mod/sumdb/note and tlog.
//
// Usage: main.go FOLDER < requests
//
// FOLDER holds tiles by their C2SP paths, and notes. A request is a line of words, and so is its answer:
// "accepted", "refused", or what was asked for. Hashes and texts are in hexadecimal, "-" is none.
//
//	note FILE VKEY                               whether the note is signed by that key
//	cosigned FILE VKEY TIME                      whether a witness cosigned it at that time
//	sign SKEY TEXT                               the signed note
//	record SIZE ROOT INDEX LEAF HASH,...         whether the inclusion proof holds
//	tree SIZE ROOT OLD OLDROOT HASH,...          whether the consistency proof holds
//	tile SIZE ROOT INDEX LEAF PATH OFFSET        whether the tiles give that leaf, the byte OFFSET of PATH flipped
//	prove SIZE ROOT INDEX                        the inclusion proof out of the tiles
//	grown SIZE ROOT OLD                          the consistency proof out of the tiles
//	path LEVEL INDEX WIDTH                       the path of a tile; level -1 is that of entries
package main

import (
	"bufio"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(word string) int64 {
	n, err := strconv.ParseInt(word, 10, 64)
	must(err)
	return n
}

func hash(word string) tlog.Hash {
	var h tlog.Hash
	bytes, err := hex.DecodeString(word)
	must(err)
	if len(bytes) != len(h) {
		must(errors.New("a hash of another length"))
	}
	copy(h[:], bytes)
	return h
}

func hashes(word string) (all []tlog.Hash) {
	if word == "-" {
		return nil
	}
	for _, word := range strings.Split(word, ",") {
		all = append(all, hash(word))
	}
	return all
}

func spelled(all []tlog.Hash) string {
	if len(all) == 0 {
		return "-"
	}
	var words []string
	for _, h := range all {
		words = append(words, hex.EncodeToString(h[:]))
	}
	return strings.Join(words, ",")
}

// path is a tile's path as C2SP has it: the height is always 8, and entries are called so.
func path(t tlog.Tile) string {
	p := strings.TrimPrefix(t.Path(), "tile/8/")
	return "tile/" + strings.Replace(p, "data/", "entries/", 1)
}

// tiles reads tiles from a folder, one byte of one of them flipped.
type tiles struct {
	folder string
	path   string
	offset int64
}

func (r tiles) Height() int { return 8 }

func (r tiles) ReadTiles(all []tlog.Tile) (data [][]byte, err error) {
	for _, t := range all {
		bytes, err := os.ReadFile(filepath.Join(r.folder, path(t)))
		if err != nil {
			return nil, err
		}
		if path(t) == r.path {
			bytes[r.offset] ^= 1
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (r tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// witness verifies cosignature/v1, which x/mod does not know.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	time uint64
}

func newWitness(vkey, time string) *witness {
	parts := strings.SplitN(vkey, "+", 3)
	id, err := strconv.ParseUint(parts[1], 16, 32)
	must(err)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	must(err)
	if key[0] != 4 || len(key) != 33 {
		must(errors.New("not a witness's key"))
	}
	return &witness{parts[0], uint32(id), key[1:], uint64(number(time))}
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }
func (w *witness) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize || binary.BigEndian.Uint64(sig) != w.time {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", w.time, msg)
	return ed25519.Verify(w.key, []byte(signed), sig[8:])
}

func judged(err error) string {
	if err != nil {
		return "refused"
	}
	return "accepted"
}

func open(file string, v note.Verifier) string {
	bytes, err := os.ReadFile(file)
	must(err)
	_, err = note.Open(bytes, note.VerifierList(v))
	return judged(err)
}

func answer(folder string, words []string) string {
	tree := func() tlog.Tree { return tlog.Tree{N: number(words[1]), Hash: hash(words[2])} }
	switch words[0] {
	case "note":
		v, err := note.NewVerifier(words[2])
		if err != nil {
			return "refused"
		}
		return open(filepath.Join(folder, words[1]), v)
	case "cosigned":
		return open(filepath.Join(folder, words[1]), newWitness(words[2], words[3]))
	case "sign":
		signer, err := note.NewSigner(words[1])
		must(err)
		text, err := hex.DecodeString(words[2])
		must(err)
		signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
		must(err)
		return hex.EncodeToString(signed)
	case "record":
		t := tree()
		return judged(tlog.CheckRecord(hashes(words[5]), t.N, t.Hash, number(words[3]), hash(words[4])))
	case "tree":
		t := tree()
		return judged(tlog.CheckTree(hashes(words[5]), t.N, t.Hash, number(words[3]), hash(words[4])))
	case "tile":
		// The leaf is not believed because the reader gave it: a proof is made of the same tiles, and checked.
		t, n := tree(), number(words[3])
		reader := tlog.TileHashReader(t, tiles{folder, words[5], number(words[6])})
		found, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		if err != nil || found[0] != hash(words[4]) {
			return "refused"
		}
		p, err := tlog.ProveRecord(t.N, n, reader)
		if err != nil {
			return "refused"
		}
		return judged(tlog.CheckRecord(p, t.N, t.Hash, n, found[0]))
	case "prove":
		t := tree()
		p, err := tlog.ProveRecord(t.N, number(words[3]), tlog.TileHashReader(t, tiles{folder: folder}))
		must(err)
		return spelled(p)
	case "grown":
		t := tree()
		p, err := tlog.ProveTree(t.N, number(words[3]), tlog.TileHashReader(t, tiles{folder: folder}))
		must(err)
		return spelled(p)
	case "path":
		return path(tlog.Tile{H: 8, L: int(number(words[1])), N: number(words[2]), W: int(number(words[3]))})
	}
	must(errors.New("unknown: " + words[0]))
	return ""
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		fmt.Fprintln(out, answer(os.Args[1], strings.Fields(in.Text())))
	}
	must(in.Err())
	must(out.Flush())
}
