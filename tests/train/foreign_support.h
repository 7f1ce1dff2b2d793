#pragma once
/// A folder as a user may have it, with things of theirs wherever this program puts its files.
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "core/real.h"

namespace attend::ATTEND_PRECISION::testing {

namespace fs = std::filesystem;

inline void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

// What a run writes below its folder, and nothing else.
inline bool is_a_runs(const std::string& path) {
    static const std::regex ours(
        R"((config\.json|metrics\.jsonl|summary\.json|log\.txt|samples\.txt|report\.html|lab\.json|messages\.txt)"
        R"(|(valid|test)_scores\.jsonl|events\.out\.tfevents\.\d+\.attend|maps|maps/step-\d+\.safetensors|vocabulary|vocabulary/(tokenizer|labels)\.txt)"
        R"(|checkpoints|checkpoints/(last|best)|checkpoints/(step-\d+|average)(/(model\.safetensors|optimizer\.safetensors|state\.json))?))");
    return std::regex_match(path, ours);
}

// A folder as a user may have it: a repository, links to files and folders elsewhere, a second name
// of a file elsewhere, things with names close to ours, and the same again wherever a run puts its
// files.
inline void furnish(const fs::path& folder, const fs::path& outside) {
    for (const char* below : {"", "checkpoints", "maps", "vocabulary", "checkpoints/step-4"}) {
        const fs::path at = folder / below;
        write(at / ".git/HEAD", "ref: refs/heads/main\n");
        write(at / ".git/objects/ab/cdef", std::string("\x78\x01\0zlib", 7));
        fs::create_symlink(outside / "objects", at / ".git/objects/linked");
        write(at / ".hidden", "mine");
        write(at / ".notes.md.partial-7-0", "mine");
        write(at / ".step-8/model.safetensors", "mine");
        write(at / ".last.new", "mine");
        write(at / "notes.md", "mine");
        write(at / "step-4.old/model.safetensors", "mine");
        write(at / "step-x/state.json", "mine");
        fs::create_directories(at / "empty");
        fs::create_symlink(outside / "file", at / "linked file");
        fs::create_symlink(outside, at / "linked folder");
        fs::create_symlink("nowhere", at / ".dangling");
        fs::create_hard_link(outside / "file", at / "second name");
        fs::permissions(at / ".hidden", fs::perms::owner_read);
    }
}

inline void furnish_outside(const fs::path& outside) {
    write(outside / "file", "mine\n");
    write(outside / "objects/x", "mine");
    write(outside / ".step-4/model.safetensors", "mine");
    write(outside / "step-4/model.safetensors", "mine");
    write(outside / ".lock", "mine");
    write(outside / "metrics.jsonl", "mine");
}

}  // namespace attend::ATTEND_PRECISION::testing
