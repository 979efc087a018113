"""Whether a sentence claims a fact. In doubt it does: what is not checkable is not checked."""

import re

from secondpass.verify.claims.conjuncts import has_finite_verb

__all__ = ["INTRODUCES", "NOT_KNOWN", "opening", "says_nothing", "why_no_heading", "why_not"]

NOT_KNOWN = "it says that the answer is not known"
"""Why a refusal is not checkable."""

INTRODUCES = "it only introduces what follows"
"""Why a label or a lead-in is not checkable."""


def _any(*alternatives: str) -> str:
    return "(?:" + "|".join(alternatives) + ")"


_SOURCES = (
    r"(?:context|passages?|documents?|sources?|texts?|information|search results|excerpts?|articles?"
    r"|knowledge base|documentation|snippets?|references?"
    # "The material does not contain lead" is a fact of it.
    r"|(?:(?<=provided )|(?<=given )|(?<=retrieved )|(?<=available )|(?<=above )|(?<=supplied )|(?<=attached ))"
    r"(?:data|materials?)|(?:data|materials?)(?= (?:provided|given|available|above|supplied)\b))"
)
_GIVEN = (
    r"(?:any of |all of |either of )?(?:the |this |these |your |our |my )?"
    r"(?:provided |given |retrieved |available |above |supplied |attached )?"
)
_KINDS = (
    r"(?:manual|handbook|guide|docs|policy|contract|agreement|lease|report|page|website|faq|file|leaflet|label|section|table|readme"
    r"|invoice|specification|spec|data ?sheet|brochure)"
)
# What an answer is said to be taken from: a source that was given, or a kind of document.
_WHERE = (
    rf"(?:{_GIVEN}(?:first |second |third |last |same |user |official |product |employee )?"
    rf"(?:{_SOURCES}|{_KINDS})(?: (?:number |no\. )?\d{{1,3}})?"
    r"(?: (?:provided|given|above|below|available)"
    r"|(?: that)? you (?:have )?(?:provided|shared|gave|given|sent|uploaded|attached|supplied)(?: me| us)?)?)"
)
_MARKED = r"\[\^?\d{1,3}\](?:,?(?: (?:and )?)?\[\^?\d{1,3}\]){0,5}"
_CITED = rf"(?:{_WHERE}(?: ?{_MARKED})?|{_MARKED})"
_SIGNS = r"\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\ufe0f\u200d"  # arrows, pictures
# What stands before a claim and says only whose it is, or how sure.
_OPENINGS = re.compile(
    rf"[\s*_>\"\u201c({_SIGNS}]{{0,8}}"
    + _any(
        r"i (?:think|believe(?! in\b)|guess|suppose|assume|suspect|reckon|would say|'d say)(?: that)?,?",
        r"i feel that",
        r"i(?: am|'m) (?:fairly |pretty |quite |very |absolutely |reasonably )?"
        r"(?:sure|certain|confident)(?: that)?,?",
        r"(?:in|from) my (?:humble |personal )?(?:opinion|view|experience|understanding),?",
        r"(?:imo|imho|personally|honestly|frankly),",
        r"(?:(?:as far as|from what|from everything) i(?: know|(?: can|'ve| have)? "
        r"(?:tell|see|seen|gather|read|understand))"
        r"|to (?:the best of )?my knowledge|if i (?:remember|recall) correctly),?",
        r"i (?:can|could|would like to|'d like to|must|should|want to) (?:also )?"
        r"(?:tell|confirm|assure|add|mention|note|say|point out)(?: to)?(?: you)? that",
        r"(?:please )?(?:note|keep in mind|remember|bear in mind|be aware)(?: also)? that",
        r"it(?: is|'s) (?:also )?(?:worth|important to|interesting to) "
        r"(?:noting|note|mention|mentioning|remember|remembering|know|knowing)(?: that)?,?",
        r"did you know that|did you know,?|i (?:know|understand|recall|remember|see) that|the fact is(?: that)?,?",
        rf"(?:according to|based on|judging (?:by|from)|going by|looking at|per|from|in|as per"
        r"|as (?:is )?(?:stated|mentioned|noted|described|explained|shown"
        rf"|outlined|said|written|specified|indicated|seen|given|reported) (?:in|by|on)|as) {_CITED}"
        r"(?: (?:states?|says?|notes?|explains?|shows?|mentions?|puts? it))?,",
        rf"{_CITED} (?:also |clearly |explicitly )?(?:states?|mentions?|says?|indicates?|shows?|explains?|notes?"
        r"|confirms?|tells? (?:us|you)) that",
        r"here(?:'s| is| are) (?:what|the (?:answer|information|details?|summary|facts?|result)"
        r"|a (?:short |brief |quick )?(?:answer|summary|overview)|my answer)\b[^.:;?!\d]{0,60}:",
        r"it (?:says|states|mentions|is (?:stated|mentioned|noted|specified|explained)) that",
        r"(?:good|great|bad) news[:,!]|(?:the )?(?:short |quick |brief |final |direct )?answer(?::| [\u2013\u2014-])"
        r"|(?:so,? )?(?:the |my )?(?:short |quick |simple )?answer is (?:yes|no)\s?[,:;\u2013\u2014]"
        r"|tl;?dr:|bottom line:"
        r"|(?:summary|conclusion|takeaway|important|warning|(?:please )?note|one thing to note|fun fact):",
        r"(?:so,? )?(?:to answer|in (?:answer|response|reply) to|regarding|concerning|as (?:for|to)) your question[,:]",
        r"the (?:key|main|most important) (?:point|takeaway|thing|idea|message|fact) (?:here )?is that",
        r"(?:i (?:have )?found|we can see|you can see) that",
        r"(?:let me|to) (?:summari[sz]e|sum up|recap|clarify|explain):",
        r"(?:in other words|in short|in brief|in summary|to summari[sz]e|to sum up|in conclusion|simply put|put simply"
        r"|to put it (?:simply|another way|briefly)|that is to say|as you can see"
        r"|as mentioned(?: above| before| earlier)?|as noted(?: above| before| earlier)?"
        r"|as a reminder|as requested|just so you know|for your information|fyi|in general|generally speaking)[,:]",
        r"(?:unfortunately,? |sorry,? |(?:i(?: am|'m) )?afraid )?i (?:can't|cannot|can not|couldn't|could not|don't"
        r"|do not|am unable to|'m unable to|am not able to|'m not able to)\b[^.;:?!,\d]{0,60}, but",
        r"(?:yes|yeah|yep|no|well|ok|okay|sure|of course|certainly|absolutely|indeed|hello|hi|hey|great question"
        r"|good question|thanks for asking|to answer your question|in short|in summary)"
        r"(?: (?:there|everyone|all|again))?\s?[,:!\u2013\u2014]",
    )
    + r"[*_]{0,3}\s+",
    re.IGNORECASE,
)
_PICTURES = re.compile(rf"\A[\s{_SIGNS}]+")
_BRACKETED = re.compile(r"\([^()]+\)|\[[^\[\]]+\]")
_MAX_OPENINGS = 3
_MIN_REST = 2  # words; "I think so." stays what it is
_WORD = re.compile(r"\w+(?:['\u2019.-]\w+)*")

_PLEASANT = r"(?:great|nice|good|wonderful|lovely|safe|pleasant|excellent|interesting|fantastic|perfect|happy|relaxing)"
_POLITE_PHRASE = _any(
    r"(?:hi|hello|hey|greetings|welcome)(?: there| everyone| all| again)?",
    r"good (?:morning|afternoon|evening|day)|dear (?:(?:mr|mrs|ms|dr|prof)\.? )?\w++(?: \w++){0,2} ?",
    r"(?:hi|hello|hey) (?-i:[A-Z])\w{1,30}(?=[,!])",
    r"(?:many )?thank(?:s| you)(?: so much| very much| a lot| again)?"
    r"(?: for (?:asking|reading|your (?:question|patience|interest|time|message)|the question|reaching out))?",
    r"you(?: are|'re) (?:very |most )?welcome|no problem(?: at all)?|my pleasure|cheers|good ?bye|bye"
    r"|see you(?: soon)?",
    r"(?:i |we )?(?:really )?hope (?:that )?(?:this|that|it|these|my answer|the above)"
    r"(?: information| answer| explanation)? (?:helps?|helped|clarifies|clarified|answers|answered|is helpful"
    r"|was helpful|is useful)(?: (?:you|a bit|things|it|your questions?|with your questions?))?",
    r"(?:(?:best|kind|warm|with best|with kind)(?: regards| wishes)|regards|sincerely|yours(?: truly| sincerely)?)"
    r"(?-i:, [A-Z][\w.]{0,30}(?: [A-Z][\w.]{0,30}){0,3})?",
    rf"have (?:a|an) {_PLEASANT} (?:day|one|morning|afternoon|evening|night|week(?:end)?|time|trip|flight|journey|ride"
    r"|stay|visit|holiday|vacation|break|start|summer|meal|party)|have fun(?: \w{1,20}ing)?|(?:good|best of) luck",
    r"all the best|take care|stay safe|enjoy(?: (?:your|the) \w{1,20})?|happy \w{1,20}ing|safe travels"
    r"|bon app[e\u00e9]tit|get well soon|speedy recovery|congrat(?:ulation)?s|well done|welcome (?:aboard|back)",
    rf"(?:(?:that(?: is|'s)|what) (?:a|an) )?{_PLEASANT} (?:question|point|choice|idea|news|pick)",
    r"(?:i(?: am|'m) )?(?:happy|glad|pleased) to (?:help|be of help|assist)|glad i could help|sure thing|no worries",
    r"(?:sure|of course|certainly|absolutely|definitely|got it|understood|great|alright|all right|okay|ok)(?=[!.,])",
    r"yes,? (?:sure|of course|certainly|absolutely|definitely|indeed)(?=[!.])",
    r"let(?: me| us|'s) (?:explain|see|check|think|summari[sz]e|look|clarify|break (?:it|this|that) down|get started)"
    r"(?: (?:it|this|that|at (?:it|this|that)|for you|step by step))?|(?:and )?that(?: is|'s) (?:it|all)"
    r"|you(?: are|'re) all set",
    r"(?:i |my )?(?:apologi[sz]e|apologies)(?: for (?:the|any) (?:confusion|inconvenience|error|mistake))?",
    r"(?:(?:i am|i'm|we are|we're) )?(?:very |so |really )?sorry"
    r"(?: (?:about that|for the (?:confusion|trouble)|to hear (?:that|it|this)|to see you go))?",
)
_POLITE = re.compile(
    rf"{_POLITE_PHRASE}(?:(?:,| [\u2013\u2014-])? (?:and )?{_POLITE_PHRASE}){{0,3}}"
    r"[\s!,.:;)\u2026\U0001f300-\U0001faff\ufe0f\u2764\u263a-]*",
    re.IGNORECASE,
)
# "Feel free to mix them" and "If you need it, take two" are instructions: only what leads back to the speaker is none.
_CONTACT = (
    r"(?:let me know|(?:feel free|do not hesitate|don't hesitate) to "
    r"(?:ask|contact|reach out|let (?:me|us) know|write (?:to )?(?:me|us)|get in touch))"
)
_ADVISER = (
    r"(?:\w+ ){0,2}(?:doctor|physician|pharmacist|nurse|lawyer|attorney|solicitor|accountant|vet|veterinarian"
    r"|professional|provider|advis[eo]r|expert|specialist)"
)
_OFFER = re.compile(
    r"(?:(?:so|and|also|again|finally|otherwise|meanwhile|sure|of course|okay|ok),? )?"
    r"(?:for (?:more|further|additional) (?:information|details?|help|assistance)"
    r"(?: (?:on|about|regarding) [^,.;:?!\d]{1,60})?, )?"
    + _any(
        rf"(?:please )?(?:{_CONTACT}|ask (?:me|away)|just ask|reach out)\b",
        r"if you(?: would|'d)? (?:also )?(?:have|need|want|like|are interested|wish|are looking|require)\b.{0,150}?,"
        rf" (?:then )?(?:(?:please |just )?(?:{_CONTACT}|ask|contact|reach out)"
        r"|i(?: am|'m|'d| can| could| will|'ll| would))\b",
        r"i(?: am|'m| would be|'d be|'ll be| will be) "
        r"(?:always )?(?:happy|glad|pleased|here|available) to "
        r"(?:help|assist|answer|explain|clarify|elaborate|provide)\b",
        r"i (?:can|could|will) (?:also |gladly |happily )?(?:help|assist|elaborate|clarify|explain|walk you through)\b",
        r"i(?: am|'m) (?:not|only|just) an? [^.,;:?!\d]{1,40}(?:, so (?:please )?(?:consult|ask|talk to|see|check with)"
        r" [^.,;:?!\d]{1,80})?[.!]*\Z",
        # Whom to ask when, as everybody is told; "Ask your doctor before use" is in a leaflet.
        rf"(?:as always,? )?(?:please |always )?(?:consult|ask|talk to|speak (?:to|with)|check with|contact|see)"
        rf"(?: with)? (?:your|a|an|the) {_ADVISER}(?:,? or (?:(?:your|a|an|the) )?{_ADVISER})?"
        r" (?:if (?:you(?: are|'re) (?:unsure|not sure|in doubt|uncertain)|in doubt"
        r"|you have (?:any )?(?:(?:further|other|more) )?(?:questions|concerns|doubts)(?: or \w+)?)"
        r"|for (?:(?:personal(?:i[sz]ed)?|individual|professional|medical|legal|tax|financial|further|more|specific) )+"
        r"(?:advice|information|guidance|help|questions))[.!]*\Z",
        r"(?:please )?(?:see|consult|refer to|check(?: out)?|visit|read|have a look at) "
        r"(?:the|our|your|this|their) "
        r"(?:\w+ ){0,4}(?:documentation|docs|website|page|manual|guide|link|section|article|sources?)\b",
        r"(?:please |could you |can you )?(?:please )?"
        + _any(
            r"(?:provide|share|give|send|specify|clarify) "
            r"(?:me|(?:some |any )?(?:more|further|additional) (?:details?|information|context))",
            r"(?:specify|clarify|rephrase|try rephrasing) (?:the|your) (?:question|request|query)",
        )
        + r"\b",
    ),
    re.IGNORECASE,
)
_TELL = (
    r"(?:contain|provide|mention|include|specify|say|state|give|have|address|answer|cover|indicate|discuss|support|"
    r"describe|explain|list|name|tell|reveal|offer|show)"
)
_SAY = (
    r"(?:mention|specif(?:y|ie)|say|state|indicate|address|discuss|explain|describe|list|name|tell|reveal"
    r"|clarif(?:y|ie))"
)
_WANTED = (
    r"(?:answers?|information|info|details?|dates?|names?|prices?|figures?|numbers?|reasons?|explanations?|indications?"
    r"|hints?)"
)
_TOLD = (
    r"(?:mentioned|stated|specified|addressed|discussed|provided|given|available|included|contained|covered|answered"
    r"|found|known|described|listed|indicated|explained|named|shown|present)"
)
_INFO = r"(?:answers?|information|info|context|evidence|data|details?|mention|reference|figures?|knowledge)"
_NOT = r"(?:do not|does not|did not|don't|doesn't|didn't)"
_EXPRESSLY = r"(?:(?:explicitly|expressly|specifically|directly|clearly|actually|(?:seem|appear) to) ){0,2}"
_IS_NOT = r"(?: (?:is|are|was|were)(?:n't| not)|'s not) (?:explicitly |directly |clearly |further )?"
_WRITTEN = r"(?:mentioned|stated|specified)"
_UNWRITTEN = (
    r"(?:(?:not|none) (?:explicitly )?(?:mentioned|stated|specified|indicated)|unspecified|n/a"
    rf"|no (?:\w+ )?{_INFO}(?: (?:given|provided|available|found))?)(?: (?:in|by) {_GIVEN}(?:{_SOURCES}|{_KINDS}))?"
)
_LITTLE = r"(?:no|not enough|insufficient|too little)"
_AS_GIVEN = (
    r"(?: \d{1,2}(?: (?:and|or) (?:\w+ )?\d{1,2})?)?(?: that (?:was|were|i) \w+| (?:provided|given|available)"
    r"| you (?:provided|shared|gave|sent|uploaded|attached|supplied)(?: me)?)?"
)
_REFUSAL = re.compile(
    r"(?:(?:unfortunately|sorry|(?:i|we)(?: am|'m| are|'re) (?:sorry|afraid)|however|but|based on|from|according to"
    r"|given|as an ai)[^.,;]{0,80},? (?:but )?(?:that )?)?"
    + _any(
        rf"(?:i|we) {_NOT} (?:really |actually |currently )?"
        r"(?:know|have (?:enough|any|access|information|the|that|this|sufficient|data|details|an answer))\b"
        r"(?! (?:why|that))",
        rf"(?:i|we) {_NOT} (?:see|find|spot|locate) (?:any|an|the|enough|that|this|it\b|{_INFO}\b)",
        rf"(?:i|we) (?:have|had|see|saw|find|found) (?:{_LITTLE} (?:\w+ )?{_INFO}\b|(?<!have )(?<!had )nothing\b"
        r"|no idea\b)",
        rf"(?:i|we) lack (?:the |any |enough |sufficient )?{_INFO}\b",
        r"(?:i|we)(?: am|'m| are|'re) (?:not sure|unsure|not able to|unable to|not certain|not aware of)\b",
        r"(?:i|we) (?:cannot|can'?t|can not|could not|couldn't|(?:was|were) unable to|(?:was|were)(?:n't| not) able to)"
        r" (?:answer|find|determine|say|tell|provide|help|give|confirm|verify|locate|assist|identify|see)\b"
        rf"(?: (?:that|this|it)\b)?(?: (?:from|in|by|with|based on|given) {_GIVEN}{_SOURCES}{_AS_GIVEN})?",
        rf"{_GIVEN}{_SOURCES}{_AS_GIVEN} {_NOT} {_EXPRESSLY}(?:{_TELL}|go into|allow (?:me|us) to)\b",
        rf"(?:the|this|your) (?:\w+ )?{_KINDS} {_NOT} {_EXPRESSLY}{_SAY}\b",
        rf"{_GIVEN}{_SOURCES}{_AS_GIVEN} (?:never {_SAY}s?\b|{_SAY}s? no\b|(?:gives?|provides?|offers?) no {_WANTED}\b"
        r"|leaves? (?:it |this |that )?(?:open|unclear|unsaid)\b)",
        rf"{_GIVEN}{_SOURCES}{_AS_GIVEN} (?:lacks?\b|fails? to {_TELL}\b|(?:has|makes?|{_TELL}s?) (?:nothing\b"
        rf"|{_LITTLE} (?:\w+ )?{_INFO}\b)|(?:is|are) (?:silent|insufficient)\b)",
        rf"{_GIVEN}{_SOURCES}{_AS_GIVEN}{_IS_NOT}(?:sufficient|enough|adequate|detailed enough)\b",
        rf"(?:none|neither) of {_GIVEN}{_SOURCES} (?:{_TELL}s?|refers?|relates?|helps?|has|is about|are about)\b",
        rf"(?:neither|no(?: relevant| other)?) {_SOURCES}(?: \d{{1,2}} nor (?:\w+ )?\d{{1,2}})? (?:\w+ )?{_TELL}s?\b",
        rf"nothing (?:in|within) {_GIVEN}{_SOURCES} (?:\w+ )?(?:{_TELL}|suggest)s?\b",
        r"no (?:mention|reference) is made (?:of|to)\b",
        rf"(?:(?:that|this|the) (?:information|detail|answer)|{_INFO} (?:about|on|regarding) [^.,;:?!\d]{{1,60}}?)"
        rf" (?:is|are) (?:missing|absent) from {_GIVEN}{_SOURCES}\b",
        rf"nothing (?:about|on|regarding) [^.,;:?!\d]{{1,80}}? (?:is|was) {_TOLD} (?:in|by|within)"
        rf" {_GIVEN}{_SOURCES}\b",
        r"there(?:(?: is|'s| was| are|'re| were) (?:no|not enough|insufficient|not any|nothing)"
        r"|(?: is| was| are| were)n't (?:any|enough|sufficient))"
        rf"(?: (?:in|within) {_GIVEN}{_SOURCES}|(?: \w+){{0,2}}?)"
        r" (?:information|mention|data|context|details?|evidence|answer|reference)\b",
        # "There is no limit on seats" is a fact.
        rf"there(?:(?: is|'s| was)(?: nothing| no (?:word|statement|passage|text|section))|(?: is| was)n't anything)"
        rf"(?: (?:in|within) {_GIVEN}{_SOURCES})? (?:about|on|regarding)\b",
        # "It is not available" may well be a fact; "it is not stated", or not available in the sources, is none.
        rf"(?:it|this|that)(?:{_IS_NOT}|(?:n't| not) )"
        r"(?:(?:mentioned|stated|specified|addressed|discussed)\b"
        rf"|(?:{_TOLD} |clear )?(?:in|from|by|within) {_GIVEN}{_SOURCES}\b)",
        rf"(?:it|they) {_NOT} (?:say|mention|specify|state)(?: (?:in|within) {_GIVEN}{_SOURCES})?[.!]*\Z",
        r"(?:the (?:answer|question|information|topic)(?: to (?:the|this|that|your) question)?"
        rf"|this (?:information|question|topic|detail))(?:{_IS_NOT}|(?:n't| not) )"
        rf"(?:{_TOLD}(?! to\b)|clear|in the \w+)\b",
        r"(?:it|this|that|the (?:answer|question|information)(?: to (?:the|this|that|your) question)?|your question"
        r"|(?:this|that) (?:question|information)) (?:cannot|can't|can not|could not|couldn't) be "
        r"(?:determined|answered|found|inferred|derived|verified|confirmed)\b",
        rf"it(?:{_IS_NOT}possible| is impossible|'s impossible) to (?:answer|determine|say|tell|know|find|confirm"
        rf"|verify|infer)\b(?:[.!]*\Z|[^.,;:?!\d]{{0,80}}? (?:from|in|by|with|based on|given) {_GIVEN}{_SOURCES}\b)",
        rf"it(?: is|'s) (?:unclear|unknown|uncertain|not clear) (?:from|based on) {_GIVEN}{_SOURCES}\b",
        rf"it isn't clear (?:from|based on) {_GIVEN}{_SOURCES}\b",
        rf"{_LITTLE} (?:relevant |such |further |specific )?{_INFO}"
        rf"(?:(?: (?:about|on|regarding|concerning|of|for|as to) [^.,;:?!\d]{{1,60}}?)?"
        rf" (?:was|is|were|are|could be|can be) {_TOLD}\b(?! to\b)|(?: (?:available|found|given|provided))?"
        r"(?: to (?:answer|say|tell|determine|know)\b[^.,;:?!\d]{0,60})?[.!]*\Z)",
        r"(?:no idea|n/?a|unknown|unanswerable|no answer|not (?:available|known|specified|stated|mentioned|found"
        r"|applicable|provided|given|answerable))(?: in the \w+)?[.!]*\Z",
    ),
    re.IGNORECASE,
)
# "The price is not mentioned in the documents.", "Whether it is free isn't stated."
_UNTOLD = re.compile(
    r"(?:(?:unfortunately|sadly|however|but|sorry),? )?"
    + _any(
        rf"(?P<what>[^.,;:?!]{{1,100}}?)(?:{_IS_NOT}{_TOLD}|(?: cannot| can't| could not| couldn't) be (?:determined"
        rf"|answered|found|inferred|derived|verified|confirmed)) (?:anywhere )?(?:in|from|by|within|based on) "
        rf"{_GIVEN}{_SOURCES}\b",
        rf"(?:whether|how|when|where|who|what|why|which)\b[^.,;:?!]{{1,100}}?{_IS_NOT}"
        r"(?:mentioned|stated|specified|said|indicated)[.!]*\Z",
        # Only a text states, mentions or specifies; "Towels are not provided" may well be a fact.
        rf"(?P<thing>[^.,;:?!]{{1,100}}?)(?:{_IS_NOT}|(?: is| are| was| were) (?:never|nowhere) )"
        rf"{_WRITTEN}(?: (?:here|anywhere))?[.!]*\Z",
        rf"no (?:\w+ ){{1,8}}?(?:is|are|was|were) {_EXPRESSLY}{_WRITTEN}(?: (?:here|anywhere))?[.!]*\Z",
        r"(?P<matter>[^.,;:?!]{1,100}?) (?:is|are|remains?|stays?|was|were|is left|are left) unspecified[.!]*\Z",
        rf"(?P<label>[^.;:?!]{{1,60}}): {_UNWRITTEN}[.!]*\Z",
    ),
    re.IGNORECASE,
)
_CONDITIONED = re.compile(r"\b(?:if|when|where|unless|because|as|since)\b", re.IGNORECASE)
_CELL_OF_NOTHING = re.compile(rf"[\s*_(]*{_UNWRITTEN}[\s*_).]*", re.IGNORECASE)
# What is not told: "The documents do not say who runs it."
_ASKED = re.compile(r"\A(?: me| us| you)? (?:exactly )?(?:who|which|where|when)\b", re.IGNORECASE)
_UNCLEAR = re.compile(
    rf"(?:based on|from|given|judging by|according to|in) {_GIVEN}{_SOURCES}(?: alone| above)?{_AS_GIVEN},? "
    r"(?:it(?: is|'s) (?:unclear|unknown|uncertain|not clear|impossible to (?:say|tell|know))"
    r"|there(?: is|'s) no way to (?:say|tell|know|determine))\b",
    re.IGNORECASE,
)
_FEELING = re.compile(
    r"i (?:really |truly |absolutely |personally )?"
    r"(?:love|like|enjoy|prefer|hate|dislike|appreciate|adore|admire|wish)\b"
    r"|i(?: would|'d)? (?:recommend|suggest|advise)\b",
    re.IGNORECASE,
)
_ADVICE = re.compile(r"you (?:should|ought to|might want to|may want to|could try)\b", re.IGNORECASE)
_OWN_VIEW = re.compile(r"[\s*_\"\u201c(]*(?:i\b|in my\b|from my\b|imo\b|imho\b|personally\b|honestly\b)", re.IGNORECASE)
_VALUES = (
    r"(?:good|great|best|better|worse|worst|bad|beautiful|amazing|wonderful|lovely|nice|interesting|fascinating|boring|"
    r"fun|cool|awesome|fantastic|excellent|terrible|awful|ugly|delicious|charming|impressive|overrated|underrated|"
    r"exciting|elegant|pleasant|remarkable|worth it|worthwhile|worth visiting|worth trying)"
)
_VALUED = re.compile(
    r"(?:\S+ ){1,8}?(?:is|are|was|were|looks?|seems?|feels?|would be)"
    r"(?: (?:a|an|the|very|really|quite|so|truly|pretty|rather|one of|most|by|far|more|simply|just|absolutely))*"
    rf" {_VALUES}(?: \w+){{0,3}}[.!]*",
    re.IGNORECASE,
)
# With any of these in it, there is more to a polite, vague or unsure sentence than that.
_FACT = re.compile(
    r"\d|\b(?:because|since|although|though|whereas|while(?! \w+ing\b)|but|however|whose|despite|therefore|actually)\b"
    r"|\bas (?!well|soon|needed|always|much|many|possible|you|i\b|a\b|an\b|that|this|it\b)"
    r"|(?<!\bwith )(?<!\babout )(?<!\bto )(?<!\bfor )(?!(?<=\bon )that\b)(?!(?<=\bof )that\b)"
    r"(?!(?<=\bregarding )that\b)\b(?:that|which|who|where|when)"
    r" (?!\w+[.!]*\Z|you|i\b|we\b|might|may|could|would|can\b"
    r"|is (?:unclear|helpful|relevant))"
    r"|\b(?:tell you|confirm|assure you|say)\b(?! (?:more|about|how|what|why|where|when|if|whether|a\b|some)|[.!]*\Z)"
    r"|[;:\u2014](?! ?[)(])|\s[\u2013-]\s",
    re.IGNORECASE,
)
_SPLICED = re.compile(
    r", (?:and )?(?!please|just|let|feel|i\b|we\b|you\b|do\b|don|or\b|if\b|so\b|then\b|ask)(?=([^,]{1,200}))",
    re.IGNORECASE,
)
_INTERROGATIVE = re.compile(
    r"(?:(?:so|and|but|now|or|well|then|also|ok|okay|finally|in short|in that case|sure"
    r"|(?:hi|hello|hey)(?: there)?),? )*"
    r"(?:who|whom|whose|what|what's|whats|where|where's|when|why|how|how's|which|is|are|was|were|am|do|does|did|can|could"
    r"|will|would|shall|should|has|have|had|may|might|must|in what|in which|to what|at what|for what|for which|"
    r"on what|by what|any|anything|need|want|ready|shall we|can i|isn't|aren't|wasn't|don't|"
    r"doesn't|didn't|won't|wouldn't|couldn't|shouldn't|haven't|"
    r"hasn't|if so|if not|would you)\b",
    re.IGNORECASE,
)
# "Isn't Paris the capital?" says that it is.
_SUGGESTIVE = re.compile(
    r"(?:(?:so|and|but|well),? )?(?:isn|aren|wasn|weren|don|doesn|didn|hasn|haven|hadn|won|wouldn|couldn|can|shouldn)"
    r"'t\b(?! you (?:want|need|think|like))",
    re.IGNORECASE,
)
# Who speaks, in a dialogue or a list of questions; what is said is judged without it.
_SPEAKER = re.compile(
    r"\A(?:q(?:uestion)?(?: ?\d{1,2})?|user|customer|client|caller|human|interviewer|agent|assistant|(?:chat)?bot)"
    r"\s?:\s+",
    re.IGNORECASE,
)
_TELLING = re.compile(r"\b(?:aware|know|knew|reali[sz]e|remember|heard|noticed?|forget|true) that\b", re.IGNORECASE)
_SHORT_QUESTION = 3
# "To reset it, follow these steps:", "The steps are as follows:": what they announce comes behind them.
_LEADING = re.compile(
    r"[^.;:?!\d]{0,150}\b(?:(?:the )?following(?: \w+){0,3}|as follows|these (?:\w+ )?(?:steps|instructions|points|"
    r"rules|options|things)|(?:the )?(?:steps|instructions|points|options)(?: \w+)? below|like this"
    r"|here(?: is|'s) how)\s?:",
    re.IGNORECASE,
)
_PURPOSE = re.compile(r"\A(?:in order )?to [^,]{1,100}, ", re.IGNORECASE)
_JOINED = re.compile(r",|\b(?:and|but|or|which|that)\b", re.IGNORECASE)
_ANNOUNCING = re.compile(
    r"(?:(?:sure|certainly|of course|okay|ok|absolutely)[,!.:]? )?"
    r"(?:here(?: is|'s| are)|below (?:is|are)|(?:the )?following)"
    r"\b[^.;?\d]{0,120}:",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[^.;:?!\d]{1,60}:")
_MAX_LABEL = 6
_ALERT = re.compile(r"\[!\w+\]")
_SECTIONS = re.compile(
    r"(?:overview|summary|introduction|conclusion|background|key (?:points|facts|takeaways)|details|notes?|examples?|"
    r"features|usage|answer|sources|references|steps|pros|cons|pros and cons|advantages|disadvantages|final thoughts)",
    re.IGNORECASE,
)
_WH_HEADING = re.compile(r"(?:what|why|how|when|where|who|which|whether)\b", re.IGNORECASE)


def opening(sentence: str) -> int:
    """Return how long the beginning is that is no part of the claim: "I think that", "Did you know that"."""
    sentence, end = sentence.replace("\u2019", "'"), 0
    for _ in range(_MAX_OPENINGS):
        match = _OPENINGS.match(sentence, end)
        if match is None or len(_WORD.findall(sentence, match.end(), match.end() + 200)) < _MIN_REST:
            break
        end = match.end()
    return end


def why_not(text: str) -> str:
    """Return why a sentence, without markdown, is not checkable; empty if it is.

    The rule is to fail closed: only what is clearly a question, a greeting, thanks, a closing, an offer, a request to
    the reader, an opinion said to be one, a refusal or a label is left out, and none of these if a figure, or a
    clause with a fact of its own, hangs on it. A hedge makes nothing uncheckable: "I think Paris has nine million
    people" is checked like any other sentence, and so are "Did you know that ...?", questions that are statements
    ("Paris is in Spain, right?"), and instructions ("Set the limit to 30 s."), which sources can bear out. What a
    question takes for granted is not checked.
    """
    text = _bare(text.replace("\u2019", "'"))
    words = _WORD.findall(text)
    if not words and not any(sign in text for sign in "%$\u20ac\u00a3\u00a5") and not any(map(str.isalnum, text)):
        return "there are no words in it"
    begun = opening(text)
    rest = text[begun:]
    if text.rstrip("\"'\u201d\u2019)*_ ").endswith(("?", "\uff1f", "\u061f")):
        return _why_no_statement(text, rest, words)
    if _POLITE.fullmatch(text):
        return "it is a greeting, thanks or a closing"
    leads = _LEADING.fullmatch(text) and not _JOINED.search(_PURPOSE.sub("", text))
    announces = _ANNOUNCING.fullmatch(text) or _ANNOUNCING.fullmatch(rest)
    if _ALERT.fullmatch(text) or announces or leads or _is_label(text, words):
        return INTRODUCES
    if _OFFER.match(text) and not _holds_fact(text):
        return "it is an offer or a request to the reader"
    if _is_refusal(text) or _is_refusal(rest):
        return NOT_KNOWN
    own_view = begun > 0 and _OWN_VIEW.match(text)
    if (_FEELING.match(rest) or (own_view and _ADVICE.match(rest))) and not _holds_fact(rest):
        return "it is an opinion or advice"
    if own_view and _VALUED.fullmatch(rest) and not _holds_fact(rest):
        return "it is an opinion"
    return ""


def _bare(text: str) -> str:
    """Return a sentence without the pictures before it, the brackets around it, and the name of who says it."""
    text = _PICTURES.sub("", text)
    if _BRACKETED.fullmatch(text) and _ALERT.fullmatch(text) is None:
        text = text[1:-1].strip()
    return _SPEAKER.sub("", text)


def _why_no_statement(text: str, rest: str, words: list[str]) -> str:
    if (rest != text and not _INTERROGATIVE.match(rest)) or _TELLING.search(text):
        return ""
    begun = text[: len(text) - len(rest)].rstrip(" ,")
    asked = text if begun.endswith("that") else rest  # "Did you know that ...?", "Of course, what is ...?"
    asks = _INTERROGATIVE.match(asked) and not _SUGGESTIVE.match(asked)
    return "it is a question" if asks or len(words) <= _SHORT_QUESTION else ""


def _is_refusal(text: str) -> bool:
    untold = _UNTOLD.match(text)
    if untold:
        thing = untold["what"] or untold["thing"] or untold["matter"] or untold["label"] or ""
        # "Lunch is free and tea is not mentioned in the documents.", "Used if the size is not specified."
        if has_finite_verb(thing) or (untold["what"] is None and thing and _CONDITIONED.search(thing)):
            untold = None
    refusal = _REFUSAL.match(text) or untold or _UNCLEAR.match(text)
    return refusal is not None and not _holds_fact(_ASKED.sub("", re.sub(r"\d", "", text[refusal.end() :])))


def _holds_fact(text: str) -> bool:
    if _FACT.search(text):
        return True
    return any(has_finite_verb(found[1]) for found in _SPLICED.finditer(text))


def _is_label(text: str, words: list[str]) -> bool:
    if _SECTIONS.fullmatch(text.rstrip(":")):
        return True
    if not _LABEL.fullmatch(text) or len(words) > _MAX_LABEL:
        return False
    # The last word is a noun ("Medical costs:") or needs what follows ("It costs:").
    before = text.rsplit(" ", 1)[0] if " " in text else ""
    return not has_finite_verb(before) or (
        "," not in text and _WH_HEADING.match(text) is not None
    )  # "What is included:"


def says_nothing(cell: str) -> bool:
    """Return whether a cell of a table only says that the sources don't: "not specified"."""
    return _CELL_OF_NOTHING.fullmatch(cell) is not None


def why_no_heading(text: str) -> str:
    """Return why a heading is not checkable; empty if it makes a statement."""
    stated = has_finite_verb(text) and not _WH_HEADING.match(text) and not text.endswith("?")
    return "" if stated or text.endswith((".", "!")) else "it is a heading"
