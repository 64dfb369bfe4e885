"""Rows written by hand for ``legal/summary``: passages of invented terms of service, and short invented bills."""

from collections.abc import Sequence

from qlorakit.task import Row

TERMS: Sequence[Row] = (
    {
        "text": "Lanternbox may amend, supplement or replace this agreement whenever it deems necessary. Amendments "
        "take effect upon being posted to this page, and no individual notice will be sent. By logging in after that "
        "date the member accepts them.",
        "answer": 'The terms can change whenever Lanternbox "deems necessary", without notice to you.',
        "service": "lanternbox.example",
    },
    {
        "text": "Should the member's account remain dormant for a period of twelve consecutive months, any prepaid "
        "balance shall be forfeited, and the account together with its contents may be erased.",
        "answer": "After twelve months without use you lose your balance, and your account can be deleted.",
        "service": "lanternbox.example",
    },
    {
        "text": "You retain title to the recipes you publish. You grant Pan & Ladle a perpetual, royalty-free and "
        "sublicensable licence to reproduce, adapt and distribute them in any medium now known or later devised.",
        "answer": 'Your recipes stay yours, but the site may use them for ever "in any medium", and pay nothing.',
        "service": "panandladle.example",
    },
    {
        "text": "We keep server logs, including the address of your device, for fourteen days in order to detect "
        "abuse. Thereafter they are deleted. Logs are not combined with your profile and are not made available to "
        "advertisers.",
        "answer": "Logs are deleted after fourteen days, and advertisers never get them.",
        "service": "quietmail.example",
    },
    {
        "text": "Subscriptions renew at the end of every billing period for the same term unless cancelled no later "
        "than 48 hours beforehand. Fees that have been charged are non-refundable, save where statute provides "
        "otherwise.",
        "answer": 'Subscriptions renew by themselves, and fees are "non-refundable" except where the law says so.',
        "service": "stridecoach.example",
    },
    {
        "text": "Any controversy arising from the use of the rental scooters shall be finally settled by binding "
        "arbitration before a single arbitrator. Riders waive trial by jury and participation in class proceedings.",
        "answer": "You cannot go to court or join a class action: an arbitrator decides disputes.",
        "service": "scootaway.example",
    },
    {
        "text": "The following is prohibited: automated retrieval of listings, circumvention of rate limits, and "
        "resale of data obtained through the interface. Violations entitle us to suspend access with immediate effect.",
        "answer": "Do not scrape the listings or resell the data, or you are locked out at once.",
        "service": "flatfinder.example",
    },
)
BILLS: Sequence[Row] = (
    {
        "text": "SECTION 1. SHORT TITLE.\n\n    This Act may be cited as the ``Rural Ferry Safety Act''.\n\nSEC. 2. "
        "INSPECTIONS.\n\n    (a) In General.--The Secretary of Transportation shall inspect each ferry that serves "
        "a \ncounty of fewer than 20,000 residents at least once in \nevery calendar year.\n    (b) Report.--The "
        "Secretary shall publish the \nresults of each inspection within 60 days.",
        "answer": 'The "Rural Ferry Safety Act" has ferries of small counties inspected every year, and the results '
        "published within 60 days.",
    },
    {
        "text": "SECTION 1. CREDIT FOR REPAIR OF APPLIANCES.\n\n    There shall be allowed as a credit against the tax "
        "imposed on an individual an amount equal to 20 percent of the costs of repairing a household appliance. The "
        "credit \n        shall not exceed $300 for any taxable year.",
        "answer": "People who have household appliances repaired get 20 percent of the cost back as a tax credit, up "
        "to $300 a year.",
    },
    {
        "text": "SECTION 1. SHORT TITLE; FINDINGS.\n\n    (a) This Act may be cited as the ``School Well Water Act of "
        "2031''.\n    (b) Congress finds that many schools draw water from wells that are not tested.\n\nSEC. 2. "
        "GRANTS.\n\n    The Administrator may award grants to school districts to test wells for lead and arsenic. "
        "There are authorized to be appropriated $9,000,000.",
        "answer": "School Well Water Act of 2031: pays school districts to test their wells for lead and arsenic, with "
        "$9,000,000 in all.",
    },
    {
        "text": "SECTION 1. REPEAL.\n\n    Section 14 of the Barge Registration Act is repealed.\n\nSEC. 2. "
        "TRANSITION.\n\n    A person who holds a certificate under that section on the date of the enactment of this "
        "Act may surrender it for a refund of the unexpired part of the fee.",
        "answer": "Ends the certificates of the Barge Registration Act; whoever holds one can return it for a partial "
        "refund.",
    },
    {
        "text": "SEC. 101. COMMISSION ON NIGHT WORK.\n\n    (a) Establishment.--There is established a commission of "
        "nine members, to be known as the ``Commission on Night Work''.\n    (b) Duties.--The commission shall study "
        "the health of persons employed between midnight and 5 a.m. and submit recommendations to Congress not later "
        "than two years after its first meeting.",
        "answer": 'Sets up a "Commission on Night Work" that studies the health of night workers and reports to '
        "Congress within two years.",
    },
    {
        "text": "SECTION 1. NOTICE BEFORE DISCONNECTION.\n\n    No electric utility may disconnect a dwelling for "
        "nonpayment unless it has given written notice 30 days in advance. During a declared heat emergency no "
        "dwelling may be disconnected.\n\nSEC. 2. PENALTY.\n\n    A utility that violates section 1 is liable for a "
        "civil penalty of $5,000 per dwelling.",
        "answer": "Power may be cut off for unpaid bills only 30 days after a written notice, and never in a heat "
        "emergency; violations cost $5,000 each.",
    },
)
SUMMARY_SAMPLES: Sequence[Row] = (*TERMS, *BILLS)
