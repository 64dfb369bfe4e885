"""Rows written by hand for ``finance/headlines``: prices, analysts and events are made up."""

from qlorakit.task import Row

# Up, constant and down are about the price of gold; "assets" compares it with something else.
_NAMES = {
    "up": "price up",
    "same": "price constant",
    "down": "price down",
    "assets": "asset comparison",
    "past": "past information",
    "future": "future information",
}
_HEADLINES = (
    ("Gold climbs 1.4% as traders seek shelter from bank worries", "up past"),
    ("Bullion ends the session $11 higher in Zurich", "up past"),
    ("Jewellers' wedding orders lift gold to a five-week high", "up past"),
    ("Weak jobs report sends gold sharply upward", "up past"),
    ("April gold adds 6 dollars and settles at its best level of the month", "up past"),
    ("Gold recovers half of Monday's loss by midday", "up past"),
    ("Yellow metal jumps after surprise rate cut in Arcadia", "up past"),
    ("Gold slides for a fourth day on firmer bond yields", "down past"),
    ("Bullion sheds 18 dollars as fund holdings shrink", "down past"),
    ("Strong harvest currency inflows push gold lower in Mumbai", "down past"),
    ("Gold gives up early gains to finish in the red", "down past"),
    ("Precious metal sinks to three-month low on hawkish minutes", "down past"),
    ("Futures lose 0.7% as dealers unwind hedges", "down past"),
    ("Gold tumbles when peace talks make headway", "down past"),
    ("Gold treads water ahead of the central bank's verdict", "same past"),
    ("Bullion little changed in holiday-thinned trading", "same past"),
    ("Gold holds its ground near 1,300 after quiet week", "same past"),
    ("Prices of gold stand still while buyers wait", "same past"),
    ("Gold up, silver down as investors part ways over metals", "up assets past"),
    ("Gold outpaces shares and oil in a rough quarter", "up assets past"),
    ("Softer dollar hands gold and platinum a lift", "up assets past"),
    ("Gold drops while copper rallies on factory data", "down assets past"),
    ("As stocks soar, gold surrenders 22 dollars", "down assets past"),
    ("Silver falls harder than gold in broad metals retreat", "down assets past"),
    ("Gold flat but palladium surges to record", "same assets past"),
    ("Neither crude nor gold moves much before the summit", "same assets past"),
    ("Gold to crude ratio drew the notice of pension funds last year", "assets past"),
    ("Households in Kerala swapped gold for fixed deposits this spring", "assets past"),
    ("Customs seized 9 kg of gold at the airport in Kochi", "past"),
    ("Mine in Nordland resumed digging after the flood", "past"),
    ("Mint sold out of its anniversary gold coin within hours", "past"),
    ("Central bank of Arcadia moved its gold vault to the coast", "past"),
    ("Gold may reach 1,500 by Christmas, says broker", "up future"),
    ("Analysts see another leg higher for bullion next quarter", "up future"),
    ("Expect gold to slip under 1,200 once rates rise, bank warns", "down future"),
    ("Further losses ahead for gold, chart watchers predict", "down future"),
    ("Gold likely to stay in a narrow band this week", "same future"),
    ("Will gold mark time until the vote? Dealers think so", "same future"),
    ("Gold set to beat equities over the coming decade, fund argues", "up assets future"),
    ("Bitcoin could take gold's place and drag it down, strategist says", "down assets future"),
    ("Which will shine more next year, gold or property?", "assets future"),
    ("What the coming budget might mean for importers of gold", "future"),
    ("Five dates that gold investors should watch in autumn", "future"),
    ("Gold rose today, and the rally has further to run, poll finds", "up past future"),
    ("After falling all week, gold could lose more on Friday", "down past future"),
    ("Gold rises, then falls, in see-saw trading", "up down past"),
)


HEADLINE_SAMPLES: tuple[Row, ...] = tuple(
    {"text": text, "labels": [_NAMES[name] for name in names.split()]} for text, names in _HEADLINES
)
