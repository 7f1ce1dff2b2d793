#pragma once
/// sigmorphon: inflection in the format of the CoNLL-SIGMORPHON 2017 shared task, task 1 (Cotterell
/// et al. 2017): a line is lemma, form and tags with tabs between them, the tags with semicolons,
/// as "gehen<TAB>ging<TAB>V;IND;PST;1;SG".
///
/// The source's symbols are the tags, each one symbol, written "<V>", and then the characters of
/// the lemma; the target's are the characters of the form. A line to translate is lemma and tags:
/// "gehen<TAB>V;IND;PST;1;SG".
#include "data/file_pairs.h"

namespace attend {

struct SigmorphonOptions : SplitFiles<std::string>, PairVocabulary, PairLimits {
    void fields(Visitor& v) {
        v.path("train", train, "file of the training rows (lemma, form, tags), plain or packed");
        v.path("valid", valid, "file for validation");
        v.path("test", test, "file for the test, with answers");
        PairVocabulary::fields(v);
        PairLimits::fields(v);
    }
};

/// How sources are cut: text "LEMMA<TAB>TAG;TAG;..." to the tags, then the lemma's code points;
/// encode() throws Error for another number of columns, an empty lemma, an empty tag, and invalid
/// UTF-8. decode() is the inverse (tags and characters in any order; what is unknown goes to the
/// lemma). Any tag is taken as it is, in any number and order; one that training did not show is
/// id_unknown.
std::unique_ptr<Tokenizer> inflection_tokenizer(const TokenizerSetup& setup);

/// Throws Error as file_pairs_task() does, and for: no training file when data are loaded; a
/// missing, empty or broken file; a row that is not three columns; an empty lemma, form or tag.
std::unique_ptr<Task> sigmorphon_task(const SigmorphonOptions& options, const TaskSetup& setup);

}  // namespace attend
