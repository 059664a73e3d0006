// Command go-verifier reads an exported ledger with the log code of the Go project alone (golang.org/x/mod/sumdb) and says what it found.
//
// It shares no code with the ledger it judges: notes are opened by package note, hashes and proofs come from package tlog. Only the tile paths
// are its own, because tlog's are of the Go checksum database.
//
// Usage: go-verifier FOLDER VKEY PROOFS SKEY > answer.json
//
//	go-verifier receipts VKEY FILE... > judged.json
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// proof is an inclusion proof of record Index in a tree of Size, or a consistency proof from a tree of Index to one of Size.
type proof struct {
	Index  int64    `json:"index"`
	Size   int64    `json:"size"`
	Hashes []string `json:"hashes"`
}

type proofs struct {
	Inclusion   []proof `json:"inclusion"`
	Consistency []proof `json:"consistency"`
}

type answer struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	// Proofs of ours that Go accepts, of those it was given.
	Accepted proofsAccepted `json:"accepted"`
	// The same proofs, made by Go.
	Proofs proofs `json:"proofs"`
	// The checkpoint's text, signed by Go with another key.
	Note string `json:"note"`
}

type proofsAccepted struct {
	Inclusion   int `json:"inclusion"`
	Consistency int `json:"consistency"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "go-verifier:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 2 && args[0] == "receipts" {
		return judgeReceipts(args[1], args[2:])
	}
	if len(args) != 4 {
		return errors.New("usage: go-verifier FOLDER VKEY PROOFS SKEY, or go-verifier receipts VKEY FILE...")
	}
	folder, vkey, proofsFile, skey := args[0], args[1], args[2], args[3]

	text, origin, size, root, err := openCheckpoint(folder, vkey)
	if err != nil {
		return err
	}
	tree, err := readTree(folder, size)
	if err != nil {
		return err
	}
	found, err := tlog.TreeHash(size, tree)
	if err != nil {
		return err
	}
	if found != root {
		return fmt.Errorf("the entries hash to %v, the checkpoint says %v", found, root)
	}
	given, err := readProofs(proofsFile)
	if err != nil {
		return err
	}
	result := answer{Origin: origin, Size: size, Root: base64.StdEncoding.EncodeToString(root[:])}
	if err := judge(&result, tree, given); err != nil {
		return err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return err
	}
	result.Note = string(signed)
	return json.NewEncoder(os.Stdout).Encode(result)
}

// openCheckpoint splits the body by hand: tlog.ParseTree accepts only the origin of the Go checksum database.
func openCheckpoint(folder, vkey string) (text, origin string, size int64, root tlog.Hash, err error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return
	}
	message, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		err = fmt.Errorf("the checkpoint has %d lines", len(lines)-1)
		return
	}
	size, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return
	}
	root, err = tlog.ParseHash(lines[2])
	return opened.Text, lines[0], size, root, err
}

// hashes are stored in the order of tlog.StoredHashIndex.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(h)) {
			return nil, fmt.Errorf("hash %d is not stored", index)
		}
		out[i] = h[index]
	}
	return out, nil
}

// readTree hashes all entries and compares each leaf with the hash tiles of level 0.
func readTree(folder string, size int64) (hashes, error) {
	var stored hashes
	for first := int64(0); first < size; first += 256 {
		width := min64(256, size-first)
		bundle, err := os.ReadFile(filepath.Join(folder, tilePath("entries", first/256, width)))
		if err != nil {
			return nil, err
		}
		tile, err := os.ReadFile(filepath.Join(folder, tilePath("0", first/256, width)))
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < width; i++ {
			if len(bundle) < 2 {
				return nil, fmt.Errorf("the bundle ends before entry %d", first+i)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			if len(bundle) < 2+length {
				return nil, fmt.Errorf("the bundle ends inside entry %d", first+i)
			}
			entry := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			leaf := tlog.RecordHash(entry)
			if string(tile[i*tlog.HashSize:(i+1)*tlog.HashSize]) != string(leaf[:]) {
				return nil, fmt.Errorf("the hash tile does not agree with entry %d", first+i)
			}
			more, err := tlog.StoredHashesForRecordHash(first+i, leaf, stored)
			if err != nil {
				return nil, err
			}
			stored = append(stored, more...)
		}
		if len(bundle) != 0 {
			return nil, errors.New("the bundle holds more entries than its path says")
		}
	}
	return stored, nil
}

func tilePath(level string, index, width int64) string {
	path := fmt.Sprintf("%03d", index%1000)
	for index /= 1000; index > 0; index /= 1000 {
		path = fmt.Sprintf("x%03d/%s", index%1000, path)
	}
	path = "tile/" + level + "/" + path
	if width < 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

func readProofs(file string) (proofs, error) {
	var given proofs
	data, err := os.ReadFile(file)
	if err != nil {
		return given, err
	}
	return given, json.Unmarshal(data, &given)
}

func judge(result *answer, tree hashes, given proofs) error {
	for _, ours := range given.Inclusion {
		root, err := tlog.TreeHash(ours.Size, tree)
		if err != nil {
			return err
		}
		leaf, err := tree.ReadHashes([]int64{tlog.StoredHashIndex(0, ours.Index)})
		if err != nil {
			return err
		}
		if check, err := decode(ours.Hashes); err == nil && tlog.CheckRecord(check, ours.Size, root, ours.Index, leaf[0]) == nil {
			result.Accepted.Inclusion++
		}
		theirs, err := tlog.ProveRecord(ours.Size, ours.Index, tree)
		if err != nil {
			return err
		}
		result.Proofs.Inclusion = append(result.Proofs.Inclusion, proof{ours.Index, ours.Size, encode(theirs)})
	}
	for _, ours := range given.Consistency {
		newer, err := tlog.TreeHash(ours.Size, tree)
		if err != nil {
			return err
		}
		older, err := tlog.TreeHash(ours.Index, tree)
		if err != nil {
			return err
		}
		if check, err := decode(ours.Hashes); err == nil && tlog.CheckTree(check, ours.Size, newer, ours.Index, older) == nil {
			result.Accepted.Consistency++
		}
		theirs, err := tlog.ProveTree(ours.Size, ours.Index, tree)
		if err != nil {
			return err
		}
		result.Proofs.Consistency = append(result.Proofs.Consistency, proof{ours.Index, ours.Size, encode(theirs)})
	}
	return nil
}

func decode(texts []string) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(texts))
	for i, text := range texts {
		hash, err := tlog.ParseHash(text)
		if err != nil {
			return nil, err
		}
		out[i] = hash
	}
	return out, nil
}

func encode(list []tlog.Hash) []string {
	out := make([]string, len(list))
	for i, hash := range list {
		out[i] = base64.StdEncoding.EncodeToString(hash[:])
	}
	return out
}

func min64(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}
