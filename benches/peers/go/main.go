// The transparency log of the Go project (golang.org/x/mod/sumdb), as a peer of `stillthere bench`: the tree over the
// same page summaries, its inclusion proofs, and the same signed note.
//
// Usage: tlog-go version FOLDER
//
//	tlog-go STEP FOLDER TIMES [KEY]
//
// FOLDER has summaries.bin, records of 120 bytes end to end, and checkpoint.text. Prints a line of JSON: the seconds
// that the step took when done so many times, and what it came to, by which the answers are compared.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const summary = 120

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func say(answer map[string]any) {
	must(json.NewEncoder(os.Stdout).Encode(answer))
}

// A tree in memory, as StoredHashes lays it out.
type tree struct {
	size   int64
	hashes []tlog.Hash
}

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, 0, len(indexes))
	for _, index := range indexes {
		found = append(found, t.hashes[index])
	}
	return found, nil
}

func over(data []byte) *tree {
	t := &tree{}
	for ; len(data) >= summary; data = data[summary:] {
		hashes, err := tlog.StoredHashes(t.size, data[:summary], t)
		must(err)
		t.hashes = append(t.hashes, hashes...)
		t.size++
	}
	return t
}

func (t *tree) root() tlog.Hash {
	root, err := tlog.TreeHash(t.size, t)
	must(err)
	return root
}

func (t *tree) proofs() []tlog.RecordProof {
	all := make([]tlog.RecordProof, 0, t.size)
	for n := int64(0); n < t.size; n++ {
		proof, err := tlog.ProveRecord(t.size, n, t)
		must(err)
		all = append(all, proof)
	}
	return all
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "version" {
		say(map[string]any{"version": runtime.Version()})
		return
	}
	step, folder := os.Args[1], os.Args[2]
	times, err := strconv.Atoi(os.Args[3])
	must(err)
	data, err := os.ReadFile(filepath.Join(folder, "summaries.bin"))
	must(err)
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint.text"))
	must(err)

	var work func() string
	switch step {
	case "tree-hash":
		work = func() string {
			root := over(data).root()
			return hex.EncodeToString(root[:])
		}
	case "tree-prove":
		t := over(data)
		work = func() string {
			sum := sha256.New()
			sum.Write([]byte{0})
			for _, proof := range t.proofs() {
				for _, hash := range proof {
					sum.Write(hash[:])
				}
			}
			return hex.EncodeToString(sum.Sum(nil))
		}
	case "tree-check":
		t := over(data)
		root, proofs := t.root(), t.proofs()
		work = func() string {
			held := 0
			for n, proof := range proofs {
				leaf := tlog.RecordHash(data[n*summary : (n+1)*summary])
				if tlog.CheckRecord(proof, t.size, root, int64(n), leaf) == nil {
					held++
				}
			}
			return fmt.Sprint(held)
		}
	case "note-sign":
		signer, err := note.NewSigner(os.Args[4])
		must(err)
		work = func() string {
			signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
			must(err)
			sum := sha256.Sum256(append([]byte{0}, signed...))
			return hex.EncodeToString(sum[:])
		}
	case "note-open":
		signed, err := os.ReadFile(filepath.Join(folder, "checkpoint.note"))
		must(err)
		verifier, err := note.NewVerifier(os.Args[4])
		must(err)
		work = func() string {
			opened, err := note.Open(signed, note.VerifierList(verifier))
			must(err)
			return fmt.Sprintf("%d of %s", len(opened.Sigs), opened.Sigs[0].Name)
		}
	default:
		must(fmt.Errorf("no step %q", step))
	}
	answer := work()
	begun := time.Now()
	for n := 0; n < times; n++ {
		if again := work(); again != answer {
			must(fmt.Errorf("%s came to %s, and then to %s", step, answer, again))
		}
	}
	say(map[string]any{"seconds": time.Since(begun).Seconds(), "answer": answer})
}
