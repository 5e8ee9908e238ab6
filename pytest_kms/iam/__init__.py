"""The language of IAM policies: documents, conditions, evaluation. It knows nothing of KMS but what it is given.

    errors       what AWS refuses in a policy, and what this folder does not understand
    context      the condition keys of a request
    matching     `*` and `?`, in texts and in the parts of ARNs
    variables    `${aws:username}` and its kind
    operators    what each condition operator compares, and how
    conditions   the Condition element
    principals   who calls, and how a statement names him
    statement    one statement: its elements, and whether it speaks of a request
    document     policy documents
    evaluate     what one document says to a request
    combine      what all documents together say, and in which words AWS says no
    explanation  why they say so, in words for the report of a failing test

Each imports only what stands above it. The work is done in two steps: `document.parse` prepares everything that
can be prepared, so that `evaluate.decide` and `combine.combine` have little left to do.
"""
