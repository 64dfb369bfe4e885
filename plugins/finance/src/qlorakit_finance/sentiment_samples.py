"""Rows written by hand for this plugin: companies and figures are made up."""

from qlorakit.task import Row

_POSITIVE = (
    "Operating profit of Harbour Lines rose to EUR 14.2 million from EUR 9.6 million a year earlier.",
    "Norvik won a five-year contract worth USD 80 million to supply turbines to two wind farms.",
    "The board of Calder Foods proposes to raise the dividend by a fifth to 0.48 per share.",
    "Order intake at Tessel Robotics grew 31 per cent in the third quarter, well ahead of forecasts.",
    "Meridian Paper swung to a net profit of 3.1 million after two years of losses.",
    "Sales in Asia more than doubled and lifted group revenue to a record 412 million.",
    "Lumen Retail lifts its full-year outlook after a strong start to the summer season.",
    "The agency upgraded the lender's long-term rating to A from BBB+ with a stable outlook.",
    "Cost savings will improve the annual result of the mill by about 7 million.",
    "Savill Medical received approval for its insulin pump in the United States.",
    "The company's market share in handsets climbed to 18 per cent from 14 per cent.",
    "Pre-tax profit beat the average estimate of analysts by a wide margin.",
    "The refinancing cuts yearly interest costs of the group by a third.",
    "Kestrel Air carried 12 per cent more passengers in May than a year before.",
    "Gross margin widened to 41.5 per cent, helped by lower freight prices.",
    "Brightwater acquires its rival at a price that adds to earnings from the first year.",
    "Backlog reached an all-time high of 1.2 billion at the end of June.",
    "The shares of Ostrava Steel jumped 9 per cent after the plant reopened early.",
    "Loan losses at the bank fell to a quarter of last year's figure.",
    "Demand for the new battery exceeds what the factory can make this year.",
)
_NEGATIVE = (
    "Net sales of Harbour Lines fell 17 per cent to EUR 61 million in the first quarter.",
    "Tessel Robotics will cut 230 jobs in Germany as orders for welding arms dry up.",
    "Norvik warned that profit this year will be clearly lower than last year.",
    "The operating loss widened to 5.4 million from a loss of 1.9 million.",
    "Calder Foods recalls two of its brands and expects a charge of 12 million.",
    "The court ordered the insurer to pay 40 million in damages to its former partners.",
    "Meridian Paper closes its oldest machine because of falling newsprint prices.",
    "The agency put the group's rating on review for a downgrade.",
    "Currency swings wiped out most of the quarter's profit.",
    "Lumen Retail issued its third profit warning since January, and the shares lost a fifth.",
    "Savill Medical withdraws the application for its heart valve after failed trials.",
    "Deliveries were delayed again, and penalties weigh on the result of the shipyard.",
    "The bank set aside another 90 million for bad loans to property developers.",
    "Kestrel Air suspends its dividend as fuel costs eat up its cash.",
    "Gross margin shrank to 22 per cent from 28 per cent on higher steel prices.",
    "Brightwater breached a covenant and is in talks with its lenders.",
    "The regulator fined the broker 6 million for misleading its clients.",
    "Order intake dropped by half, and short-time work begins in March.",
    "Ostrava Steel lost its largest customer to a competitor from Turkey.",
    "Earnings per share declined to 0.11 from 0.35 a year ago.",
)
_NEUTRAL = (
    "Harbour Lines publishes its interim report on 24 October at nine in the morning.",
    "The annual general meeting of Norvik will be held in the city hall of Bergen.",
    "Tessel Robotics employs about 1,900 people in six countries.",
    "Calder Foods has appointed Maria Lindqvist head of its legal department.",
    "The transaction is subject to the approval of the competition authorities.",
    "Financial terms of the agreement were not disclosed.",
    "Meridian Paper's head office moves to a new building near the harbour.",
    "The company is listed on the exchange in Helsinki under the symbol MDN.",
    "Lumen Retail runs 140 stores, of which 90 stand in Poland.",
    "The number of shares in the company is 24,500,000 after the registration.",
    "Savill Medical makes pumps, valves and tubing for hospitals.",
    "The new plant will stand on a site of eight hectares south of the river.",
    "Board members are elected for a term of one year at a time.",
    "Kestrel Air's fleet consists of eleven aircraft of the same type.",
    "The auditor of Brightwater is to be chosen in the spring.",
    "The contract covers the maintenance of lifts in public buildings.",
    "Revenue of Ostrava Steel was 310 million, the same as in the previous year.",
    "The group reports in three segments: packaging, timber and energy.",
    "The bank opened its branch in Tallinn in 1996.",
    "Customers can use the service by telephone and on the web.",
)
_BY_COMPANY = {
    "Savill Medical wins the hospital contract that Corrigan Devices has held for ten years": {
        "Savill Medical": "positive", "Corrigan Devices": "negative",
    },
    "Lumen Retail slips behind Parcelle as shoppers move online": {"Parcelle": "positive", "Lumen Retail": "negative"},
    "$KSTR grounded again while $BLUW fills every seat on the coast route": {"KSTR": "negative", "BLUW": "positive"},
    "Harbour Lines sells its ferry arm to Osterby at a third of the book value; Pell & Sons advised both sides": {
        "Harbour Lines": "negative", "Pell & Sons": "neutral",
    },
}  # fmt: skip
SENTIMENT_SAMPLES: tuple[Row, ...] = (
    *(
        {"text": text, "label": label}
        for triple in zip(_POSITIVE, _NEGATIVE, _NEUTRAL, strict=True)
        for text, label in zip(triple, ("positive", "negative", "neutral"), strict=True)
    ),
    *(
        {"text": text, "target": company, "label": label}
        for text, opinions in _BY_COMPANY.items()
        for company, label in opinions.items()
    ),
)
